"""Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte,
ASPLOS 2010).

Every task gets a random priority and the highest enabled one runs; at d - 1 steps
drawn beforehand the running task drops below all others. A bug of depth d is
found with probability at least 1/(n k^(d-1)) per execution, for n tasks and k
steps.

Deviations: k is the largest number of decisions seen so far, since only
decisions are steps here; a task that yields, sleeps or waits with a time-out
drops to the lowest priority, because the paper assumes programs that terminate
under every schedule and waiting loops do not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class PCT(Scheduler):
    """Random priorities with ``depth`` - 1 change points."""

    static_points = True

    def __init__(self, seed: int = 0, depth: int = 3) -> None:
        self.name = f"pct{depth}"
        self._depth = depth
        self._length = 1
        self._count = 0
        self._generator = random.Random((seed << 8) | depth)
        self._priorities: dict[int, float] = {}
        self._changes: frozenset[int] = frozenset()
        self._lowest = 0.0

    def begin(self, execution: int) -> bool:
        """Draw the change points; priorities are drawn as tasks appear."""
        self._priorities = {}
        self._count = 0
        self._lowest = 0.0
        length = max(self._length, self._depth)
        self._changes = frozenset(self._generator.randrange(length) for _ in range(self._depth - 1))
        return True

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The enabled task of the highest priority."""
        priorities = self._priorities
        for task in enabled:
            if task.index not in priorities:
                priorities[task.index] = 1.0 + self._generator.random()
        if current is not None and current.pending[0] == op.YIELD:
            self._drop(current)
        for task in enabled:
            if task.timed and priorities[task.index] > 0.0:
                self._drop(task)
        best = max(enabled, key=lambda task: priorities[task.index])
        if self._count in self._changes:
            self._drop(best)
            best = max(enabled, key=lambda task: priorities[task.index])
        self._count += 1
        return best

    def _drop(self, task: Task) -> None:
        self._lowest -= 1.0
        self._priorities[task.index] = self._lowest

    def end(self, outcome: Outcome) -> None:
        """Learn how long executions get."""
        self._length = max(self._length, self._count)

    def restart(self) -> None:
        """Other points, other lengths."""
        self._length = 1

    def overhear(self, outcome: Outcome) -> None:
        """The same from an execution of another scheduler's."""
        self._length = max(self._length, len(outcome.raw_decisions))
