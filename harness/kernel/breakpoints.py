"""``breakpoint()`` in a program: passed over in a search, where nobody could type at a thousand prompts, and stopped at
in the one run that somebody looks at.

While somebody types nothing else goes on and nothing is recorded, so that the run goes on as it would have.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from semafuzz.harness.kernel import current

Stop = Callable[[FrameType], None]
_stop: list[Stop | None] = [None]
_passed_over: dict[str, None] = {}


def hook(*_: object, **__: object) -> None:
    """Stands for ``sys.breakpointhook`` while programs are under control."""
    execution = current.execution
    frame = sys._getframe(1)
    stop = _stop[0]
    current.execution = None
    try:
        if stop is not None:
            stop(frame)
            return
        place = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
        _passed_over[place] = None
    finally:
        current.execution = execution


@contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """``stop`` is called with the frame that calls ``breakpoint()`` in the block."""
    before, _stop[0] = _stop[0], stop
    try:
        yield
    finally:
        _stop[0] = before


def ignore() -> None:
    """Stop at no further one in the block of :func:`stopping`: somebody has had enough."""
    _stop[0] = lambda frame: None


def told() -> list[str]:
    """A line about those that were passed over since this was asked last."""
    places = ", ".join(_passed_over)
    _passed_over.clear()
    said = f"breakpoint() at {places} is passed over in a search; `semafuzz replay TRACE` at a terminal stops there"
    return [said] if places else []
