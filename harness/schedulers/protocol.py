"""The protocol of schedulers."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task


class Scheduler:
    """Chooses among enabled tasks; may learn from one execution to the next.

    A scheduler is a pure function of its seed and of what it was shown: no
    clock, no global randomness. It reads ``index``, ``name``, ``pending``
    and ``timed`` of a task and nothing else. ``choose`` is the only method that it must have.

    ``covers_all``: where it ends the search by itself, every schedule was made.
    ``rechecks``: the search is to run each of its schedules again and to compare the two.
    """

    name: str = "scheduler"
    covers_all: bool = False
    rechecks: bool = False

    def begin(self, execution: int) -> bool:
        """Prepare the execution with this number (from 0). False ends the search: there
        is nothing left to try."""
        return True

    def watch(self, outcome: Outcome) -> None:
        """The record of the execution that begins now, which grows while it runs."""

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Return the member of ``enabled`` that runs next.

        ``current`` is the task that announced an operation; None where it has
        ended or waits. ``step`` counts the events so far.
        """
        raise NotImplementedError

    def end(self, outcome: Outcome) -> None:
        """The execution is over."""

    def restart(self) -> None:
        """The program has scheduling points that were not known before."""


class OneExecution(Scheduler):
    """Base of schedulers that make one execution only."""

    def begin(self, execution: int) -> bool:
        """One execution."""
        return execution == 0
