"""Beside pytest-timeout.

Its ``signal`` method sets the only timer signal of the process, which the watchdog of a
run needs: without it a run that is stuck would end the process. And an exception out of
that handler would be raised in the middle of a task, where it passes for a failure of
the code under test. Its ``thread`` method ends the process. So the timer is taken over
while a test is explored, and the exploration ends in time by itself.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

STALL = 5.0
"""Seconds without any step after which a run counts as stuck, where nobody sets less."""
PATIENCE = 30.0
"""Seconds for a replay in a process of its own, likewise."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """``seconds`` that a search may take, or None; ``stall``: seconds without a step
    after which it is called stuck; ``patience``: seconds for trying the replay command."""

    seconds: float | None
    stall: float
    patience: float


def allowance(limit: float | None) -> Allowance:
    """What a limit of ``limit`` seconds for the whole test leaves: a run that gets stuck in
    the last moment must be noticed before the limit."""
    if limit is None:
        return Allowance(None, STALL, PATIENCE)
    stall = max(0.5, min(STALL, 0.2 * limit))
    return Allowance(max(0.1 * limit, 0.8 * limit - stall - 0.5), stall, min(PATIENCE, 0.1 * limit))


@contextmanager
def respected(item: pytest.Item) -> Iterator[Allowance]:
    """What pytest-timeout leaves for ``item``, with its timer put aside in the block.

    If the time is up when the block ends, it is told a second later.
    """
    limit = limit_of(item)
    if not _has_alarm():
        yield allowance(limit)
        return
    handler = signal.getsignal(signal.SIGALRM)
    left, every = signal.setitimer(signal.ITIMER_REAL, 0)
    started = time.monotonic()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        yield allowance(left or limit)
    finally:
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(1.0, left - (time.monotonic() - started)), every)


def _has_alarm() -> bool:
    """Whether somebody on this thread uses the timer signal."""
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and callable(signal.getsignal(signal.SIGALRM))
    )


def limit_of(item: pytest.Item) -> float | None:
    """The seconds that pytest-timeout gives this test; None for no limit, or where it
    is not there. In the order in which it looks itself."""
    config = item.config
    if not config.pluginmanager.hasplugin("timeout"):
        return None
    said: object = None
    mark = item.get_closest_marker("timeout")
    if mark is not None:
        said = mark.args[0] if mark.args else mark.kwargs.get("timeout")
    for other in (config.getoption("timeout", None), os.environ.get("PYTEST_TIMEOUT"), config.getini("timeout")):
        said = other if said is None else said
    try:
        limit = float(str(said))
    except ValueError:
        return None
    return limit if limit > 0 else None
