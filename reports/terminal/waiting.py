"""A line while somebody waits for something that says nothing itself, such as a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from semafuzz.reports.terminal.result import Progress

TICK = 0.5
"""Seconds between two looks at the clock."""


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say on standard error what is waited for in the block and since when: at a terminal in one line that is taken
    away at the end, in a log from time to time."""
    progress, started, ended = Progress(), perf_counter(), threading.Event()

    def tell() -> None:
        while not ended.wait(TICK):
            progress.line(f"{what}, {perf_counter() - started:.0f} s")

    telling = threading.Thread(target=tell, name="semafuzz-waiting", daemon=True)
    telling.start()
    try:
        yield
    finally:
        ended.set()
        telling.join()
        progress.clear()
