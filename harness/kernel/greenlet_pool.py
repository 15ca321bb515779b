"""Greenlets that run tasks, kept for the next task when one has ended.

The first Python frame of a new greenlet makes the interpreter map memory for its
stack (9 µs of the 10 that starting one costs); a greenlet that is used again has it.
"""

from __future__ import annotations

import contextvars
import sys
from typing import Any

from greenlet import getcurrent, greenlet

from semafuzz.harness.kernel.running import Running


class Pool:
    """Idle workers of one hub.

    Workers are bound to the hub that they return to, and keep whether they are
    traced from their start: another hub or another trace or profile function needs a new pool.
    """

    __slots__ = ("_idle", "hub", "tracer")

    def __init__(self, hub: greenlet) -> None:
        self.hub = hub
        self.tracer: Any = (sys.gettrace(), sys.getprofile())
        self._idle: list[greenlet] = []

    def take(self, context: contextvars.Context | None = None) -> greenlet:
        """A worker that waits for an execution to be switched in; it then runs the
        execution's current task. Its context variables are those of ``context``,
        or none, as in a new thread."""
        worker = self._idle.pop() if self._idle else greenlet(self._serve, self.hub)
        worker.gr_context = context
        return worker

    def end(self) -> None:
        """End the idle workers. They and the pool hold on to each other by a stack that no collector looks into."""
        here = getcurrent()
        while self._idle:
            worker = self._idle.pop()
            worker.parent = here
            worker.throw()

    def _serve(self, execution: Running) -> None:
        me, hub = getcurrent(), self.hub
        while True:
            task = execution.current
            execution.run_task()
            task.greenlet = None
            self._idle.append(me)
            del execution, task
            execution = hub.switch()


_current: list[Pool] = []


def pool_of(hub: greenlet) -> Pool:
    """The pool for executions that are run from ``hub`` now."""
    if _current:
        pool = _current[0]
        if pool.hub is hub and pool.tracer == (sys.gettrace(), sys.getprofile()):
            return pool
        _current.clear()
        if pool.hub.dead:
            pool.end()
    pool = Pool(hub)
    _current.append(pool)
    return pool
