"""Ctrl-C is heeded between executions, not in the midst of one.

Python raises KeyboardInterrupt wherever the main thread happens to be. Inside a run that
is code under test, which may swallow it, or the kernel itself, halfway through a switch;
around it, it can be a callback of the garbage collector, where it would only be printed.
So while control is installed the first one is held back until a run has ended. A second one,
some time later, is for a run that does not end: it is raised where it comes. Two at once are
one: ``timeout`` sends its signal to a command and to its group, a terminal and a supervisor
may both send it.

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
"""Seconds after which another interrupt is meant as one."""

holding = False
"""Whether an interrupt that comes now waits for the end of a run."""

pressed = 0.0
"""When the interrupt came that is held back, by the real ``time.monotonic``; 0.0 for none."""

_raised = 0.0
_is_ours = False
_real_monotonic = time.monotonic


def heed() -> None:
    """Raise what was held back, since the run has ended."""
    global pressed, _raised, _is_ours
    pressed, _raised, _is_ours = 0.0, _real_monotonic(), True
    raise KeyboardInterrupt


def is_ours() -> bool:
    """Whether a KeyboardInterrupt that is met now came from outside: a program may raise its own."""
    # Where signals are ignored none can have come.
    return _is_ours or signal.getsignal(signal.SIGINT) not in (_handle, signal.SIG_IGN)


def was_raised() -> bool:
    """The same, asked for the last time."""
    global _is_ours
    ours, _is_ours = is_ours(), False
    return ours


def forget() -> bool:
    """Drop what was held back; whether there was anything."""
    global pressed
    was_pressed, pressed = bool(pressed), 0.0
    return was_pressed


@contextmanager
def heard_once() -> Iterator[None]:
    """Take interrupts that come at once for one, in the block."""
    global pressed, _raised, _is_ours
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    pressed, _raised, _is_ours = 0.0, 0.0, False
    signal.signal(signal.SIGINT, _handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def endings_heard() -> Iterator[None]:
    """Take the signals by which systems end a program for interrupts as well, in the block. Who has one of them
    ignored, as nohup does, wants to go on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [one for one in ("SIGTERM", "SIGHUP") if hasattr(signal, one)]
    heeded = [one for one in map(signal.Signals.__getitem__, names) if signal.getsignal(one) is signal.SIG_DFL]
    for one in heeded:
        signal.signal(one, _handle)
    try:
        yield
    finally:
        for one in heeded:
            signal.signal(one, signal.SIG_DFL)


@contextmanager
def held() -> Iterator[None]:
    """Hold interrupts back in the block, each until a run has ended or the block has."""
    global holding
    with heard_once():
        holding = True
        try:
            yield
        finally:
            holding = False
        if pressed:
            heed()


def _handle(_: int, __: FrameType | None) -> None:
    global pressed
    now = _real_monotonic()
    if _raised and now - _raised < AGAIN:
        return
    if holding and (not pressed or now - pressed < AGAIN):
        pressed = pressed or now
        return
    heed()
