"""Partial order sampling (Yuan, Yang, Gu, "Partial Order Aware Concurrency Sampling", CAV 2018).

Every announced operation gets a random priority, and the highest goes first; once it went,
those that were in conflict with it (one location, a write among the two) draw theirs anew. The
orders of operations that conflict are sampled so, rather than those of operations that commute.

Deviation: a task that yields, sleeps or waits with a time-out has the lowest priority of all for
that operation, because the paper assumes programs that end under every schedule.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.locations import CONTAINER
from semafuzz.harness.kernel.task import Pending, Task
from semafuzz.harness.schedulers.protocol import Scheduler


class POS(Scheduler):
    """The announced operation of the highest random priority goes first."""

    name = "pos"
    static_points = True

    def __init__(self, seed: int = 0) -> None:
        self._draw = random.Random(seed).random
        self._priorities: dict[int, tuple[Pending, float]] = {}

    def begin(self, execution: int) -> bool:
        """Nobody has a priority yet."""
        self._priorities = {}
        return True

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The task whose operation has the highest priority."""
        priorities, draw = self._priorities, self._draw
        best, highest = enabled[0], -2.0
        for task in enabled:
            pending = task.pending
            held = priorities.get(task.index)
            if held is None or held[0] is not pending:
                low = task.timed or pending[0] == op.YIELD
                held = priorities[task.index] = (pending, draw() - 1.0 if low else draw())
            if held[1] > highest:
                best, highest = task, held[1]
        del priorities[best.index]
        done = best.pending
        if done[1] is not None:
            for task in enabled:
                if task is not best and conflicting(task.pending, done):
                    priorities.pop(task.index, None)
        return best


def conflicting(one: Pending, other: Pending) -> bool:
    """Whether two announced operations are on one location and not both reads."""
    kind, subject, name, _ = one
    if subject is not other[1] or subject is None:
        return False
    if kind in op.MEMORY and other[0] in op.MEMORY:
        if kind not in op.WRITES and other[0] not in op.WRITES:
            return False
        if kind in CONTAINER:
            return name == other[2] or name is None or other[2] is None
        return name == other[2]
    return True
