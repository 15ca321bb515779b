"""Depth-first search of all schedules.

One execution per schedule, not per Mazurkiewicz trace: complete, and for small
programs only. It ends by itself, and only then may a search be called complete.

The hot set can grow during the search; the search then starts again, because
decisions that were not points before are missing from its stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class AllSchedules(Scheduler):
    """Enumerates the tree of choices, lowest task number first."""

    name = "all-schedules"
    covers_all = True
    """Where it ends by itself, every schedule was made."""

    def __init__(self, seed: int = 0) -> None:
        self._path: list[int] = []
        self._widths: list[int] = []
        self._depth = 0
        self._done = False

    @property
    def seem(self) -> int:
        """How many schedules there would be if all paths were as the last one: too many where choices are worth less
        elsewhere, and too few where they are worth more."""
        return prod(self._widths)

    def begin(self, execution: int) -> bool:
        """Move to the next schedule; False when there is none."""
        self._depth = 0
        return not self._done

    def restart(self) -> None:
        """Forget the tree: the program has scheduling points not known before."""
        self._path, self._widths, self._done = [], [], False

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Follow the path, then take the first branch everywhere."""
        depth = self._depth
        self._depth += 1
        if depth == len(self._path):
            self._path.append(0)
            self._widths.append(len(enabled))
        self._widths[depth] = len(enabled)
        return enabled[min(self._path[depth], len(enabled) - 1)]

    def end(self, outcome: Outcome) -> None:
        """Advance the last choice that has a branch left."""
        del self._path[self._depth :], self._widths[self._depth :]
        while self._path and self._path[-1] + 1 >= self._widths[-1]:
            self._path.pop()
            self._widths.pop()
        if self._path:
            self._path[-1] += 1
        else:
            self._done = True
