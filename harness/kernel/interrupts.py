"""Ctrl-C is heeded between executions, not in the midst of one.

Python raises KeyboardInterrupt wherever the main thread happens to be. Inside a run that
is code under test, which may swallow it, or the kernel itself, halfway through a switch.
So the first one is held back until the run has ended. A second one, some time later, is
for a run that does not end: it is raised where it comes.

Nothing is held back on other threads than the main one, or where somebody else handles
the signal.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 1.0
"""Seconds after which another interrupt is meant as one: a supervisor and the terminal can
both send the first."""

running = False
"""Set while a run is under way and its caller does not have control."""

pressed = 0.0
"""When the interrupt came that is held back, by the real ``time.monotonic``; 0.0 for none."""

_real_monotonic = time.monotonic


def heed() -> None:
    """A run has ended: raise KeyboardInterrupt where one was held back."""
    global pressed
    pressed = 0.0
    raise KeyboardInterrupt


@contextmanager
def held() -> Iterator[None]:
    """Hold interrupts back while runs are under way in the block."""
    global pressed
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if not ours:
        yield
        return
    pressed = 0.0
    signal.signal(signal.SIGINT, _handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed:
        heed()


def _handle(_: int, __: FrameType | None) -> None:
    global pressed
    now = _real_monotonic()
    if running and (not pressed or now - pressed < AGAIN):
        pressed = pressed or now
        return
    heed()
