"""Noticing that a run is stuck in something that the kernel does not see.

A task that blocks in C (a lock made before control began) or computes for ever
without a scheduling point stops everything, since all tasks share an OS thread.
A thread watches, and interrupts it there by a signal. Where that does not help (a call in C that
begins again, another OS thread than the main one, to which Python delivers no signals) the thread
says so and ends the process with exit code 125. A call that keeps the interpreter for itself stops
this thread too: only the parent of the process can end that.
"""

from __future__ import annotations

import _thread
import linecache
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.frames import is_machinery
from semafuzz.harness.kernel.task_errors import Abort

_real_monotonic = time.monotonic
_real_sleep = time.sleep
_real_start = _thread.start_new_thread


PATIENCE = 1.0
"""Seconds between two signals to a run that is stuck."""
SIGNALS = 3
"""Signals after which nothing in this process can end it."""
BUSY = 0.01
"""The part of the time that a thread which computes is given at least, whatever else the
machine does. One that is blocked takes next to nothing: it is woken twice a second by the
signal that asks."""


def _clock_of_this_thread() -> Callable[[], float]:
    """What tells, on any thread, how much CPU time the calling one has had, in seconds."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    clock, read = time.pthread_getcpuclockid(_thread.get_ident()), time.clock_gettime
    return lambda: read(clock)


class _Progress:
    """Whether the run of the calling thread took a step since the last look, and for how
    long not."""

    def __init__(self, stall: float) -> None:
        self._stall = stall
        self._mark: tuple[int, int] = (0, 0)
        self._since = _real_monotonic()
        self._cpu_time = _clock_of_this_thread()
        self._cpu = self._cpu_time()

    def stuck(self) -> str:
        """ "" or what it looks like: ``blocked`` or ``busy``."""
        execution = current.execution
        now = _real_monotonic()
        mark = (0, 0) if execution is None else (address(execution), len(execution.events))
        if execution is None or mark != self._mark:
            self._mark, self._since, self._cpu = mark, now, self._cpu_time()
            return ""
        if now - self._since < self._stall:
            return ""
        used = self._cpu_time() - self._cpu
        return "busy" if used > BUSY * (now - self._since) else "blocked"


def _describe(state: str, frame: FrameType | None) -> str:
    while frame is not None and is_machinery(frame.f_code.co_filename):
        frame = frame.f_back
    place = "an unknown place"
    if frame is not None:
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        place = f"{frame.f_globals.get('__name__')}:{frame.f_lineno} ({frame.f_code.co_name}): {line}"
    if state == "busy":
        return (
            f"no scheduling point was reached for some seconds at {place}; "
            "instrument the module it loops in, or give it less to compute"
        )
    return (
        f"the run is blocked at {place}, in a lock or a call that the kernel does not own (a lock made before "
        "control began?); make the lock inside the program, or at module level of an instrumented module"
    )


@contextmanager
def watching(stall: float) -> Iterator[None]:
    """Watch the run in the block; ``stall`` in seconds, 0 for not at all."""
    if not stall:
        yield
        return
    progress = _Progress(stall)
    free = (
        threading.current_thread() is threading.main_thread()
        and hasattr(signal, "setitimer")
        and signal.getsignal(signal.SIGALRM) in (signal.SIG_DFL, None)
    )
    if free:
        with _by_signal(progress, stall):
            yield
        return
    with _by_thread(progress, stall):
        yield


@contextmanager
def _by_signal(progress: _Progress, stall: float) -> Iterator[None]:
    """No signal comes while all goes well: one would interrupt what the program waits for in C."""

    def look(_: int, frame: FrameType | None) -> None:
        execution = current.execution
        state = progress.stuck()
        if state and execution is not None:
            execution.escape(_describe(state, frame))
            raise Abort

    watched = _thread.get_ident()
    signalled: list[float] = []

    def act(state: str) -> None:
        now = _real_monotonic()
        if not signalled or now - signalled[-1] > PATIENCE:
            if len(signalled) == SIGNALS:
                _give_up(state, watched)
            signalled.append(now)
            signal.pthread_kill(watched, signal.SIGALRM)

    previous = signal.signal(signal.SIGALRM, look)
    try:
        with _watched_by_a_thread(progress, stall, act, signalled.clear):
            yield
    finally:
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def _by_thread(progress: _Progress, stall: float) -> Iterator[None]:
    watched = _thread.get_ident()
    with _watched_by_a_thread(progress, stall, lambda state: _give_up(state, watched), lambda: None):
        yield


def _give_up(state: str, watched: int) -> None:
    when_lost[-1](_describe(state, sys._current_frames().get(watched)))


def _end_the_process(what: str) -> None:
    os.write(2, f"semafuzz: uncontrolled: {what}\n".encode())
    os._exit(125)


when_lost: list[Callable[[str], None]] = [_end_the_process]
"""What to do, on a thread of its own, where a run cannot be interrupted; the last one is called."""


@contextmanager
def _watched_by_a_thread(
    progress: _Progress, stall: float, act: Callable[[str], None], well: Callable[[], None]
) -> Iterator[None]:
    ended: list[bool] = []

    def watch() -> None:
        while not ended:
            _real_sleep(min(0.5, stall))
            state = progress.stuck()
            if state and not ended:
                act(state)
            elif not state:
                well()

    _real_start(watch, ())
    try:
        yield
    finally:
        ended.append(True)
