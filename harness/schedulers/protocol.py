"""What a scheduler is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task


@runtime_checkable
class Scheduler(Protocol):
    """Chooses among enabled tasks; may learn from one execution to the next.

    A scheduler is a pure function of its seed and of what it was shown: no
    clock, no global randomness. It reads ``index``, ``name``, ``pending``
    and ``timed`` of a task and nothing else.
    """

    name: str

    def begin(self, execution: int) -> bool:
        """Prepare the execution with this number (from 0). False ends the
        search: there is nothing left to try. That was every schedule only where
        the scheduler says ``covers_all``, which it need not have."""

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Return the member of ``enabled`` that runs next.

        ``current`` is the task that announced an operation; None where it has
        ended or waits. ``step`` counts the events so far.
        """

    def end(self, outcome: Outcome) -> None:
        """The execution is over."""
