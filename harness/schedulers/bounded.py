"""Depth-first search of all schedules with few preemptions (Musuvathi and Qadeer,
"Iterative context bounding", PLDI 2007): most failures need one or two.

It ends by itself too, but what it has covered then is not every schedule.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.exhaustive import AllSchedules


class Bounded(AllSchedules):
    """The schedules of :class:`AllSchedules` with at most ``bound`` preemptions."""

    name = "bounded"
    covers_all = False

    def __init__(self, bound: int) -> None:
        super().__init__()
        self._bound = bound
        self._used = 0

    def begin(self, execution: int) -> bool:
        """Move to the next schedule; False when there is none."""
        self._used = 0
        return super().begin(execution)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """As :class:`AllSchedules`, and the running task once the bound is reached."""
        if current is None or not any(task is current for task in enabled):
            return super().choose(enabled, current, step)
        if self._used >= self._bound or not self._may_leave(current):
            return super().choose([current], current, step)
        chosen = super().choose(enabled, current, step)
        self._used += chosen is not current
        return chosen

    def _may_leave(self, task: Task) -> bool:
        """Whether the running task may be preempted here."""
        return True


class BoundedAt(Bounded):
    """The schedules of :class:`Bounded` that preempt nowhere but at some code places.

    For asking again whether a failure shows, once it is known where its preemptions
    were: blind to every failure that needs one anywhere else, so never a search of its own.
    """

    name = "bounded-at"

    def __init__(self, bound: int, sites: Collection[int]) -> None:
        super().__init__(bound)
        self._sites = frozenset(sites)

    def _may_leave(self, task: Task) -> bool:
        return task.pending[3] in self._sites
