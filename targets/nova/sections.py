"""Sections under Nova's named locks, made visible and kept apart per host.

Nova takes its locks by name through ``oslo_concurrency.lockutils``, and names hold
for a process. Two simulated hosts are two processes, so a name is looked up together
with the host of the running task. Entry and exit are events with both names; the
lock itself stays the real one, on top of the kernel's doubles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from harness.kernel import current
from harness.kernel import operations as op

running_host: ContextVar[str] = ContextVar("running_host", default="")
"""The host whose process the running task belongs to."""


def lock_name(host: str, name: str) -> str:
    """What a named lock of a host is called in events: ``host1/compute_resources``."""
    return f"{host}/{name}"


class _Announced:
    """A named fair lock whose sections are events."""

    def __init__(self, lock: Any, name: str) -> None:
        self._lock = lock
        self._name = name

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        with self._lock.write_lock():
            _note(op.ENTER, self._name)
            try:
                yield
            finally:
                _note(op.EXIT, self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lock, name)


def _note(kind: int, name: str) -> None:
    execution = current.execution
    if execution is not None:
        execution.note(kind, None, name)


@contextmanager
def visible_sections() -> Iterator[None]:
    """Announce sections and separate hosts for the time of the block."""
    from oslo_concurrency import lockutils

    real = lockutils.internal_fair_lock

    def internal_fair_lock(name: str) -> _Announced:
        own = lock_name(running_host.get(), name)
        return _Announced(real(own), own)

    lockutils.internal_fair_lock = internal_fair_lock
    try:
        yield
    finally:
        lockutils.internal_fair_lock = real


def forget_locks() -> None:
    """Drop every named lock: an execution that was cut short may have left one
    held, and names are looked up in registries that outlive it."""
    from oslo_concurrency import lockutils

    for registry, attribute in ((lockutils._semaphores, "_semaphores"), (lockutils._fair_locks, "_locks")):
        getattr(registry, attribute).clear()
