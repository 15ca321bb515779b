"""Random walk: every enabled task is equally likely at every scheduling point.

Finds what most schedules show. Blind where a task must be left in one place for
long (SCTBench's ``reorder`` with many threads): the chance halves with every
step of the others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class RandomWalk(Scheduler):
    """Uniform choice from one generator, seeded once: seeding it anew for every
    execution would cost as much as a small execution does."""

    name = "random"
    static_points = True

    def __init__(self, seed: int = 0) -> None:
        self._draw = random.Random(seed).random

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Any of ``enabled``."""
        return enabled[int(self._draw() * len(enabled))]
