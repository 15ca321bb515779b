"""Priorities: the base of schedulers that give each task a rank and lower it at chosen places."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class PriorityScheduler(Scheduler):
    """Runs the enabled task of the lowest rank. One that yields, or can only go on by its
    time running out, goes behind all others: waiting loops end so."""

    _tasks = 1

    def __init__(self) -> None:
        self._rank: dict[int, int] = {}
        self._behind: set[int] = set()

    def _start(self) -> None:
        """A new execution: nobody has a rank yet."""
        self._rank, self._behind = {}, set()

    def _first_rank(self, task: Task) -> int:
        """The rank of a task that appears."""
        raise NotImplementedError

    def _meets(self, current: Task, step: int) -> None:
        """A task has announced an operation, and could go on. ``step``: the events before it."""
        raise NotImplementedError

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The enabled task of the lowest rank."""
        rank = self._rank
        for task in enabled:
            if task.index not in rank:
                self._tasks = max(self._tasks, task.index + 1)
                rank[task.index] = self._first_rank(task)
        if current is not None and current in enabled:
            if current.pending[0] == op.YIELD:
                self._drop(current)
            else:
                self._meets(current, step)
        for task in enabled:
            if task.timed and task.index not in self._behind:
                self._drop(task)
        return min(enabled, key=lambda task: rank[task.index])

    def _drop(self, task: Task) -> None:
        self._rank[task.index] = max(self._tasks + 1, *self._rank.values()) + 1
        self._behind.add(task.index)
