"""Recheck: run every schedule twice and compare the runs event by event.

A wrapper around any scheduler. It finds uncontrolled nondeterminism in the
program (an unseeded generator, the order of a set, real time), which would make
every other result doubtful.
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class Recheck(Scheduler):
    """Chooses as ``inner`` does; the exploration runs each schedule again
    because ``rechecks`` is set, and raises NotDeterministic where they differ."""

    rechecks = True

    def __init__(self, inner: Scheduler) -> None:
        self.name = f"recheck-{inner.name}"
        self.covers_all = inner.covers_all
        self._inner = inner

    def begin(self, execution: int) -> bool:
        """As the inner scheduler."""
        return self._inner.begin(execution)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """As the inner scheduler."""
        return self._inner.choose(enabled, current, step)

    def end(self, outcome: Outcome) -> None:
        """As the inner scheduler."""
        self._inner.end(outcome)
