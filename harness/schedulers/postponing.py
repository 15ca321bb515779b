"""Postponing: tasks that come to certain places wait there until nobody else can go on.

The second phase of DeadlockFuzzer (Joshi, Park, Sen, Naik, "A randomized dynamic program analysis technique for
detecting real deadlocks", PLDI 2009): where each task of a suspected cycle is held before its second lock, the others
get to theirs. Deviation: places are those of the code alone, not of the objects too.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class Postponing(Scheduler):
    """Any task that is not about to do something at one of ``sites``; where all are, any of them."""

    name = "postponing"

    def __init__(self, sites: Collection[int], seed: int = 0) -> None:
        self._sites = frozenset(sites)
        self._draw = random.Random(seed).random

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Any of ``enabled`` that is elsewhere, as long as there is one."""
        free = [task for task in enabled if task.pending[3] not in self._sites] or enabled
        return free[int(self._draw() * len(free))]
