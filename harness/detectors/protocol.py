"""What a detector is."""

from __future__ import annotations

from typing import Protocol

from semafuzz.harness.kernel.observed_execution import Look
from semafuzz.harness.kernel.outcome import Failure, Outcome


class Watcher(Protocol):
    """Looks at executions while they happen, and says of each what it noticed."""

    def begin(self) -> Look | None:
        """An execution begins. What is to be called with its events, or None where
        those that are there at its end are enough."""

    def judge(self, outcome: Outcome) -> list[Failure]:
        """What was noticed in the execution that began last. Asked when every oracle
        has spoken, so that nothing is hidden by it."""

    def keep(self, outcome: Outcome) -> None:
        """That execution was one of the search, not a repetition of one: learn from it."""
