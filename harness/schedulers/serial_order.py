"""One task after the other, in a given order: no concurrency at all.

What fails under a serial order is no race, and must not be called one.
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import OneExecution


class SerialOrder(OneExecution):
    """Runs the enabled task that comes first in ``order`` (task numbers)."""

    name = "serial"

    def __init__(self, order: Sequence[int]) -> None:
        self._rank = {number: rank for rank, number in enumerate(order)}

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The task whose turn it is."""
        return min(enabled, key=lambda task: self._rank.get(task.index, len(self._rank)))
