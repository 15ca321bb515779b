"""Output of a test once, instead of once for each execution: prints, logs, warnings.

A search runs a test a thousand times, and pytest keeps all that it says. So what came of
the search is thrown away, and what came of the failing run, run once more for the purpose,
is what pytest shows.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_LOST = "semafuzz: cannot write to "
"""How the line begins after which a trace follows that the disk refused."""
EVERY = 200
"""Executions after which captured output is thrown away: it is kept in a file."""


class OutputKeeper:
    """Made by :func:`output_once`."""

    def __init__(self, config: pytest.Config, seen: list[warnings.WarningMessage]) -> None:
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._seen = seen
        self._since = 0
        self._rescued = ""

    def begin(self) -> None:
        """An execution begins: ``caplog`` starts empty, as it does in a test."""
        for handler in logging.getLogger().handlers:
            if getattr(handler, "records", None):
                handler.clear()  # type: ignore[attr-defined]
        self._since += 1
        if self._since >= EVERY:
            self.forget()

    def end(self) -> None:
        """The search is over: only traces that could not be written are worth keeping."""
        self.forget()
        sys.stderr.write(self._rescued)

    def forget(self) -> None:
        """Throw away what was printed until now."""
        self._since = 0
        if self._capture is not None and self._capture.is_globally_capturing():
            _, place, rest = self._capture.read_global_capture().err.partition(_LOST)
            self._rescued += place + rest
        self._seen[:] = _distinct(self._seen)


def _distinct(seen: list[warnings.WarningMessage]) -> list[warnings.WarningMessage]:
    """Each warning once, in the order of its first appearance."""
    first: dict[tuple[object, ...], warnings.WarningMessage] = {}
    for one in seen:
        first.setdefault((one.category, str(one.message), one.filename, one.lineno), one)
    return list(first.values())


@contextmanager
def output_once(config: pytest.Config) -> Iterator[OutputKeeper]:
    """Keep the search in the block quiet; afterwards each distinct warning is given once."""
    kept: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as seen:
            assert seen is not None
            try:
                yield OutputKeeper(config, seen)
            finally:
                kept = _distinct(seen)
    finally:
        for one in kept:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno, source=one.source)
