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

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op

running_host: ContextVar[str] = ContextVar("running_host", default="")
"""The host whose process the running task belongs to."""
TRACKER_LOCK = "compute_resources"
"""``COMPUTE_RESOURCE_SEMAPHORE`` of every release."""


def lock_name(host: str, name: str) -> str:
    """What a named lock of a host is called in events: ``host1/compute_resources``."""
    return f"{host}/{name}"


class _Announced:
    """A named lock whose sections are events: a fair one, or the semaphore of 20 and older."""

    def __init__(self, lock: Any, name: str) -> None:
        self._lock = lock
        self._name = name

    def __enter__(self) -> Any:
        self._lock.acquire()
        _note(op.ENTER, self._name)
        return self

    def __exit__(self, *error: object) -> None:
        _note(op.EXIT, self._name)
        self._lock.release()

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

    fair, plain = lockutils.internal_fair_lock, lockutils.internal_lock

    def internal_fair_lock(name: str) -> _Announced:
        own = lock_name(running_host.get(), name)
        return _Announced(fair(own), own)

    def internal_lock(name: str, *options: Any, **more: Any) -> Any:
        # 20 and older guard the tracker with a plain one. Others stay as they are: a
        # provider tree keeps its own for good.
        if name != TRACKER_LOCK:
            return plain(name, *options, **more)
        own = lock_name(running_host.get(), name)
        return _Announced(plain(own, *options, **more), own)

    lockutils.internal_fair_lock, lockutils.internal_lock = internal_fair_lock, internal_lock
    try:
        yield
    finally:
        lockutils.internal_fair_lock, lockutils.internal_lock = fair, plain


def forget_locks() -> None:
    """Drop every named lock: an execution that was cut short may have left one
    held, and names are looked up in registries that outlive it."""
    from oslo_concurrency import lockutils

    for registry, attribute in ((lockutils._semaphores, "_semaphores"), (lockutils._fair_locks, "_locks")):
        getattr(registry, attribute).clear()
