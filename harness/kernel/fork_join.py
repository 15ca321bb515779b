"""The order that starts and joins of tasks give: the same under every schedule that comes so far.

A task's life is cut into stretches at each start and each join that it performs; vector clocks over the
stretches (Mattern, "Virtual time and global states of distributed systems", 1989) say which came before
which. Locks are left out: what they order, another schedule orders the other way round.
"""

from __future__ import annotations

from collections.abc import Collection

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.task import Task, task_of

Touch = tuple[int, int, int, bool, frozenset[int]]
"""Task, stretch of its life, site, whether it wrote, and the locks (by ``id``) that it held."""

_Stretch = tuple[int, int]
_Clock = dict[int, int]
"""The newest stretch of each other task that is over."""


class ForkJoin:
    """Grows with the events of one run. ``stretches``: the stretch that each task is in."""

    def __init__(self) -> None:
        self.stretches: dict[int, int] = {}
        self._clocks: dict[_Stretch, _Clock] = {}

    def add(self, kind: int, task: Task, subject: object) -> None:
        """A start or a join: ``subject`` is the task that is started, or has ended."""
        other = task_of(subject)
        if other is None:
            return
        here, there = task.index, other.index
        number = self.stretches.get(here, 0)
        clock = self._clocks.get((here, number), {})
        if kind == op.SPAWN:
            self._clocks[there, 0] = {**clock, here: number}
        else:
            last = self.stretches.get(there, 0)
            ended = self._clocks.get((there, last), {})
            clock = {**clock, there: last}
            for index, stretch in ended.items():
                if index != here and clock.get(index, -1) < stretch:
                    clock[index] = stretch
        self.stretches[here] = number + 1
        self._clocks[here, number + 1] = clock

    def ordered(self, one: _Stretch, other: _Stretch) -> bool:
        """Whether one of two stretches of different tasks is over before the other begins."""
        clocks = self._clocks
        after_one = clocks.get(other)
        if after_one is not None and after_one.get(one[0], -1) >= one[1]:
            return True
        after_other = clocks.get(one)
        return after_other is not None and after_other.get(other[0], -1) >= other[1]

    def meeting(self, touches: Collection[Touch]) -> set[int]:
        """The sites of those touches of one location that are neither ordered with that of another task
        nor under one lock with it, where one of the two writes."""
        found: set[int] = set()
        writes = [touch for touch in touches if touch[3]]
        for touch in touches:
            task, stretch, site, wrote, locks = touch
            if site in found:
                continue
            for other in touches if wrote else writes:
                if other[0] == task or not locks.isdisjoint(other[4]):
                    continue
                if not self.ordered((task, stretch), (other[0], other[1])):
                    found.add(site)
                    break
        return found
