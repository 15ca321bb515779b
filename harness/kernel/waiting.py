"""Waiting: locks, joins, sleeps and the time-outs of these, for the execution that is under way.

A task that waits is out of ``ready``. One whose time runs is in ``timed``; when that may run out is
a rule of its own: a sleep may always end, a time-out where nothing else can go on, and earlier only where
that is allowed.
"""

from __future__ import annotations

from bisect import insort
from math import inf

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.clock import VirtualClock
from semafuzz.harness.kernel.lockable import Lockable
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import NOWHERE
from semafuzz.harness.kernel.task import Pending, RawEvent, Task

_WAITS = frozenset({op.ACQUIRE, op.JOIN})
"""What is waited for with a time-out; a sleep is none."""
FOR_EVER = 3600.0
"""Seconds from which on a time-out stands for "for ever": it is there to make a wait interruptible, and runs out where
nothing else can go on. Nor do shorter ones run out early once tasks that could go on have stood for so long in sum."""


def deadline(task: Task) -> float:
    """When the time of a task runs out, in virtual seconds."""
    return inf if task.deadline is None else task.deadline


def _may_run_out_early(task: Task) -> bool:
    return task.pending[0] in _WAITS and (task.timeout is None or task.timeout < FOR_EVER)


class Waiting:
    """The half of :class:`semafuzz.harness.kernel.execution.Execution` by which tasks wait; its members are
    documented there."""

    aborting: bool
    thorough: bool
    hot: bytearray
    break_at: int
    outcome: Outcome
    events: list[RawEvent]
    ready: list[Task]
    timed: list[Task]
    current: Task
    clock: VirtualClock
    _early: bool
    _stalled: float
    _syncs: bool
    _overdue: bool
    _quantum_at: int
    _forced: dict[int, bool] | None

    def point(self, kind: int, subject: object, name: object, site: int) -> None:
        """Announce an operation and let the scheduler choose who goes on."""
        raise NotImplementedError

    def _suspend(self, pending: Pending) -> None:
        raise NotImplementedError

    def _refuse(self) -> None:
        raise NotImplementedError

    def _count_refusal(self) -> None:
        raise NotImplementedError

    def acquire(self, lock: Lockable, timeout: float | None, site: int) -> bool:
        """Take ``lock``, waiting for it if need be. ``timeout`` None: for ever;
        0: not at all. Returns whether it was taken."""
        task = self.current
        if self.aborting:
            if lock.owner is not None:
                self._refuse()
            self._count_refusal()
            lock.owner = task
            return True
        if timeout == 0:
            if self._syncs or self.hot[site] or len(self.events) >= self.break_at:
                self.point(op.TRY, lock, None, site)
            if lock.owner is not None:
                self.events.append((op.TRY, task, lock, None, site))
                return False
        elif lock.owner is not None:
            self._wait_for(lock, timeout, site)
        elif self._syncs or self.hot[site] or len(self.events) >= self.break_at:
            lock.waiters.append(task)
            if timeout is not None:
                task.timeout, task.deadline = timeout, self.clock.now + timeout
            self.point(op.ACQUIRE, lock, None, site)
            lock.waiters.remove(task)
        if task.timed_out:
            task.timed_out = False
            task.deadline = None
            self.events.append((op.TIMEOUT, task, lock, None, site))
            return False
        task.deadline = None
        lock.owner = task
        if timeout is not None:
            # It could have failed: releases of this lock are worth a point.
            self.events.append((op.TRY, task, lock, None, site))
        for waiting in lock.waiters:
            self._disable(waiting)
        self.events.append((op.ACQUIRE, task, lock, None, site))
        return True

    def _wait_for(self, lock: Lockable, timeout: float | None, site: int) -> None:
        task = self.current
        lock.waiters.append(task)
        self.ready.remove(task)
        if timeout is not None:
            task.timeout, task.deadline = timeout, self.clock.now + timeout
            self._await_time(task)
        self._suspend((op.ACQUIRE, lock, None, site))
        lock.waiters.remove(task)

    def release(self, lock: Lockable, site: int) -> None:
        """Give ``lock`` up; those who wait for it become enabled."""
        if not self.aborting and (self.hot[site] or len(self.events) >= self.break_at):
            self.point(op.RELEASE, lock, None, site)
            if lock.owner is None:
                raise RuntimeError("release unlocked lock")
        lock.owner = None
        for waiting in lock.waiters:
            self._enable(waiting)
        self.events.append((op.RELEASE, self.current, lock, None, site))

    def join(self, target: Task, timeout: float | None, site: int) -> bool:
        """Wait until ``target`` is done; False where the time ran out first."""
        task = self.current
        if self.aborting and not target.done:
            self._refuse()
        if not target.done:
            if timeout == 0:
                self.point(op.JOIN, target, None, site)
                if not target.done:
                    return False
            else:
                self.ready.remove(task)
                target.joiners = (*target.joiners, task)
                if timeout is not None:
                    task.timeout, task.deadline = timeout, self.clock.now + timeout
                    self._await_time(task)
                self._suspend((op.JOIN, target, None, site))
        task.deadline = None
        if task.timed_out:
            task.timed_out = False
            target.joiners = tuple(other for other in target.joiners if other is not task)
            self.events.append((op.TIMEOUT, task, target, None, site))
            return False
        self.events.append((op.JOIN, task, target, None, site))
        return True

    def sleep(self, seconds: float, site: int) -> None:
        """Let virtual time pass; other tasks may run meanwhile."""
        task = self.current
        if self.aborting:
            self._refuse()
        if seconds <= 0:
            self.point(op.YIELD, None, None, site)
            self.events.append((op.YIELD, task, None, None, site))
            return
        self.ready.remove(task)
        task.deadline = self.clock.now + seconds
        self._await_time(task)
        self._suspend((op.SLEEP, None, None, site))
        task.deadline = None
        task.timed_out = False
        self.events.append((op.SLEEP, task, None, None, site))

    def park(self) -> None:
        """Take the running task out of the run until :meth:`unpark`; no event."""
        task = self.current
        self.ready.remove(task)
        task.parked = True
        self._suspend((op.YIELD, None, None, NOWHERE))

    def unpark(self, task: Task) -> None:
        """Let a parked task go on."""
        task.parked = False
        insort(self.ready, task, key=_index)

    def pass_time(self, seconds: float) -> None:
        """Let virtual time pass; called between steps. Who is due wakes."""
        moment = self.clock.now + seconds
        while due := [task for task in self.timed if task.deadline is not None and task.deadline <= moment]:
            self._fire(min(due, key=lambda task: (task.deadline, task.index)))
        self.clock.advance_to(moment)

    def _may_wake(self) -> list[Task]:
        """Of the tasks whose time runs, those that may wake now. Where time-outs may run out early, all but those that
        stand for "for ever"; a replay knows by its record which one did."""
        if not self._early:
            return self._due()
        if self._forced is not None:
            return self.timed
        left = FOR_EVER - self._stalled + self.clock.now
        near = [task for task in self.timed if task.pending[0] not in _WAITS or deadline(task) < left]
        return near if near or self.ready else self._due()

    def _due(self) -> list[Task]:
        """Of the tasks whose time runs, those that may wake now: who sleeps, unless a time-out would
        run out before; where nothing else can go on, who waits with the nearest time-out."""
        limit = min((deadline(task) for task in self.timed if task.pending[0] in _WAITS), default=inf)
        sleepers = [task for task in self.timed if task.pending[0] not in _WAITS and deadline(task) <= limit]
        if len(sleepers) < len(self.timed) and any(map(_may_run_out_early, self.timed)):
            self.outcome.withheld = True
        if sleepers or self.ready or limit == inf:
            return sleepers
        return [next(task for task in self.timed if task.pending[0] in _WAITS and deadline(task) == limit)]

    def _fire(self, chosen: Task) -> None:
        """Let time pass to ``chosen``'s deadline: it and all due with it wake."""
        assert chosen.deadline is not None
        if chosen.pending[0] in _WAITS and self.ready:
            others = tuple(task.name for task in self.ready)
            self.outcome.early_timeouts.append((len(self.events), chosen, chosen.pending, chosen.timeout, others))
            self._stalled += chosen.deadline - self.clock.now
        self.clock.advance_to(chosen.deadline)
        if self.thorough:
            # Others that are due may come later still: they stay as they are, to be chosen or reached.
            self._stop_timer(chosen)
            chosen.timed_out = True
            insort(self.ready, chosen, key=_index)
            return
        for task in [t for t in self.timed if t.deadline is not None and t.deadline <= self.clock.now]:
            self._stop_timer(task)
            task.timed_out = True
            insort(self.ready, task, key=_index)

    def _enable(self, task: Task) -> None:
        if task.timed_out:
            return
        if task.timed:
            self._stop_timer(task)
        if task not in self.ready:
            insort(self.ready, task, key=_index)
        if self._overdue and self._forced is None:
            # The quantum ended while nobody else could run: a loop that polls
            # under a lock would otherwise be found holding it every time.
            self._overdue = False
            self.break_at = self._quantum_at = 0

    def _disable(self, task: Task) -> None:
        if task.timed_out or task not in self.ready:
            return
        self.ready.remove(task)
        if task.deadline is not None:
            self._await_time(task)

    def _await_time(self, task: Task) -> None:
        task.timed = True
        insort(self.timed, task, key=_index)

    def _stop_timer(self, task: Task) -> None:
        task.timed = False
        self.timed.remove(task)


def _index(task: Task) -> int:
    return task.index
