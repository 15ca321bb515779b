"""Doubles of ``_thread.allocate_lock`` and ``threading.RLock``.

Within an execution a lock is state that the kernel owns: acquiring one that is
held disables the task until it is released; nothing polls. Outside an execution
(set-up code, other OS threads, after control ended) the same object is a real
lock, so that doubles may outlive the control that made them.
"""

from __future__ import annotations

import _thread
import sys
from types import TracebackType
from typing import Any

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.frames import calling_site
from semafuzz.harness.kernel.lockable import Lockable
from semafuzz.harness.kernel.running import Running
from semafuzz.harness.kernel.task import Task

_real_lock = _thread.allocate_lock
_real_rlock = _thread.RLock
_real_ident = _thread.get_ident
TIMEOUT_MAX = _thread.TIMEOUT_MAX
control_thread = [0]
"""Identifier of the OS thread on which control is installed, or 0."""


def running() -> Running | None:
    """The execution, where the caller is one of its tasks."""
    execution = current.execution
    if execution is not None and _real_ident() == control_thread[0]:
        return execution
    return None


def _checked_timeout(blocking: bool, timeout: float) -> float | None:
    """The time-out as the kernel takes it, refused as CPython refuses it."""
    if timeout != timeout:
        raise ValueError("timeout value must not be NaN")
    if not blocking:
        if timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        return 0
    if timeout == -1:
        return None
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return timeout


class Lock(Lockable):
    """Double of a plain lock: anybody may release it."""

    __slots__ = ("_epoch", "_real")
    real_name = "_thread.lock"

    def __init__(self, real: Any = None) -> None:
        self.owner: Task | None = None
        self.waiters: list[Task] = []
        self._epoch: Running | None = None
        self._real = real
        self.label = ""
        self.made: tuple[int, int] | None = None
        execution = current.execution
        if execution is not None:
            task = execution.current
            self.made = task.index, task.locks_made
            task.locks_made += 1

    def _outside(self) -> Any:
        if self._real is None:
            self._real = _real_lock()
        return self._real

    def _is_held_by_a_task(self) -> bool:
        """Whether a task of an execution that is driven from outside holds it, which stands still now."""
        return bool(current.wait_for) and self.owner is not None and _real_ident() == control_thread[0]

    def _enter_epoch(self, execution: Running) -> None:
        """A lock that outlives an execution starts the next one as it stood
        outside: what a deadlocked run left held is not held any more."""
        self._epoch = execution
        self.waiters = []
        real = self._real
        self.owner = OUTSIDE if real is not None and real.locked() else None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As ``threading.Lock.acquire``."""
        execution = running()
        if execution is None:
            if self._is_held_by_a_task():
                if not blocking:
                    return False
                current.wait_for[-1](self)
            return bool(self._outside().acquire(blocking, timeout))
        if self._epoch is not execution:
            self._enter_epoch(execution)
        wait = None if blocking and timeout == -1 else _checked_timeout(blocking, timeout)
        kind = op.ACQUIRE if wait != 0 else op.TRY
        return execution.acquire(self, wait, calling_site(kind))

    __enter__ = acquire

    def release(self) -> None:
        """As ``threading.Lock.release``."""
        execution = running()
        if execution is None:
            self._outside().release()
            return
        if self._epoch is not execution:
            self._enter_epoch(execution)
        if self.owner is None:
            if execution.aborting:
                return
            raise RuntimeError("release unlocked lock")
        if self.owner is OUTSIDE:
            self._outside().release()
        execution.release(self, calling_site(op.RELEASE))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def locked(self) -> bool:
        """As ``threading.Lock.locked``; a scheduling point like a failed try."""
        execution = running()
        if execution is None:
            return self._is_held_by_a_task() or bool(self._outside().locked())
        if self._epoch is not execution:
            self._enter_epoch(execution)
        execution.touch(op.TRY, self, None, calling_site(op.TRY))
        return self.owner is not None

    def _is_owned(self) -> bool:
        """What ``Condition`` asks; it would otherwise try to acquire."""
        if running() is None:
            return bool(self._outside().locked())
        return self.owner is not None

    def _outside_held(self) -> bool:
        return self._real is not None and bool(self._real.locked())

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    def __deepcopy__(self, memo: object) -> Lock:
        """A copy shares the lock, as eventlet's semaphores do; real locks
        refuse to be copied at all."""
        execution = running()
        if execution is not None and execution.thorough:
            self.__reduce_ex__(4)
        return self

    def __reduce_ex__(self, protocol: object) -> Any:
        """Copied and pickled by nobody, as the real ones are."""
        raise TypeError(f"cannot pickle '{self.real_name}' object")

    def __repr__(self) -> str:
        """Without an address: what a program prints is the same in every run."""
        held = self._outside_held() if running() is None else self.owner is not None
        state = "locked" if held else "unlocked"
        return f"<{state} semafuzz.{type(self).__name__} object at {self.label or 'no name'}>"


class WaiterLock(Lock):
    """The lock on which one ``Condition.wait`` sleeps.

    Its first acquire is by its only owner so far and never worth a decision.
    It is released by whoever notifies, so its owner holds nobody up.
    """

    __slots__ = ()
    notified = True

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As :meth:`Lock.acquire`."""
        execution = running()
        if execution is not None and self._epoch is None:
            self._epoch = execution
            self.owner = execution.current
            return True
        return super().acquire(blocking, timeout)


class RLock(Lock):
    """Double of a re-entrant lock, owned by a task."""

    __slots__ = ("count",)
    real_name = "_thread.RLock"

    def __init__(self, real: Any = None) -> None:
        super().__init__(real)
        self.count = 0

    def _outside(self) -> Any:
        if self._real is None:
            self._real = _real_rlock()
        return self._real

    def _enter_epoch(self, execution: Running) -> None:
        self._epoch = execution
        self.waiters = []
        self.owner = None
        self.count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As ``threading.RLock.acquire``."""
        execution = running()
        if execution is None:
            if self._is_held_by_a_task():
                if not blocking:
                    return False
                current.wait_for[-1](self)
            return bool(self._outside().acquire(blocking, timeout))
        if self._epoch is not execution:
            self._enter_epoch(execution)
        wait = None if blocking and timeout == -1 else _checked_timeout(blocking, timeout)
        if self.owner is execution.current:
            self.count += 1
            return True
        kind = op.ACQUIRE if wait != 0 else op.TRY
        if execution.acquire(self, wait, calling_site(kind)):
            self.count = 1
            return True
        return False

    __enter__ = acquire

    def release(self) -> None:
        """As ``threading.RLock.release``."""
        execution = running()
        if execution is None:
            self._outside().release()
            return
        if self._epoch is not execution:
            self._enter_epoch(execution)
        if self.owner is not execution.current:
            if execution.aborting:
                return
            raise RuntimeError("cannot release un-acquired lock")
        self.count -= 1
        if self.count == 0:
            execution.release(self, calling_site(op.RELEASE))

    def _is_owned(self) -> bool:
        execution = running()
        if execution is None:
            return bool(self._outside()._is_owned())
        return self._epoch is execution and self.owner is execution.current

    def _release_save(self) -> Any:
        execution = running()
        if execution is None:
            return self._outside()._release_save()
        if self.owner is not execution.current:
            raise RuntimeError("cannot release un-acquired lock")
        count, self.count = self.count, 0
        execution.release(self, calling_site(op.RELEASE))
        return count

    def _acquire_restore(self, state: Any) -> None:
        execution = running()
        if execution is None:
            self._outside()._acquire_restore(state)
            return
        execution.acquire(self, None, calling_site(op.ACQUIRE))
        self.count = state

    def _recursion_count(self) -> int:
        if running() is None:
            return int(self._outside()._recursion_count())
        return self.count if self._is_owned() else 0

    def _outside_held(self) -> bool:
        return self._real is not None and not repr(self._real).startswith("<unlocked")

    if sys.version_info < (3, 14):

        @property
        def locked(self) -> Any:
            """New in 3.14; before, code that asks is told that there is none."""
            raise AttributeError("'_thread.RLock' object has no attribute 'locked'")


OUTSIDE = Task(-2, "code outside the execution", lambda: None)
"""The owner of a lock that was held before the execution began."""


def make_lock() -> Any:
    """What ``threading.Lock()`` makes while control is installed."""
    return Lock() if _real_ident() == control_thread[0] else _real_lock()


def make_waiter_lock() -> Any:
    """What ``Condition.wait`` makes to sleep on."""
    if running() is None:
        return make_lock()
    return WaiterLock()


def make_rlock(*args: Any, **kwargs: Any) -> Any:
    """What ``threading.RLock()`` makes while control is installed."""
    if args or kwargs:
        # CPython decides what becomes of arguments: an error or a warning.
        _real_rlock(*args, **kwargs)
    return RLock() if _real_ident() == control_thread[0] else _real_rlock()
