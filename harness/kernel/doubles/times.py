"""Doubles of the functions of ``time``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.clock import EPOCH
from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.frames import calling_site

_real_sleep = time.sleep


def sleep(seconds: float) -> None:
    """``time.sleep``, in virtual time."""
    execution = running()
    if execution is None:
        _real_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    execution.sleep(float(seconds), calling_site(op.SLEEP))


def _clock(real: Callable[[], Any], offset: float, *, nanoseconds: bool = False) -> Callable[[], Any]:
    def read() -> Any:
        execution = running()
        if execution is None:
            return real()
        moment = execution.clock.read(execution) + offset
        return int(moment * 1e9) if nanoseconds else moment

    read.__name__ = read.__qualname__ = real.__name__
    read.__doc__ = f"Double of ``time.{real.__name__}``: virtual within an execution."
    return read


DOUBLES: dict[str, Callable[..., Any]] = {
    "sleep": sleep,
    "time": _clock(time.time, EPOCH),
    "time_ns": _clock(time.time_ns, EPOCH, nanoseconds=True),
    "monotonic": _clock(time.monotonic, 1000.0),
    "monotonic_ns": _clock(time.monotonic_ns, 1000.0, nanoseconds=True),
    "perf_counter": _clock(time.perf_counter, 1000.0),
    "perf_counter_ns": _clock(time.perf_counter_ns, 1000.0, nanoseconds=True),
    "process_time": _clock(time.process_time, 0.0),
    "thread_time": _clock(time.thread_time, 0.0),
}
"""By their names in ``time``; ``time.strftime`` and its kin are passed through."""
PAIRS: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
    (getattr(time, name), double) for name, double in DOUBLES.items()
]
"""The real functions, with their doubles."""
OWN: list[object] = [
    PAIRS,
    *PAIRS,
    *(cell for _, double in PAIRS for cell in (double.__closure__ or ())),
]
"""What holds the real functions here."""
