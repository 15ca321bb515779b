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

    ``covers_all``: where it ends the search by itself, every schedule was made, or one of each class.
    ``static_points``: it has a use for a first execution in which every access is a choice, since none is
    known to matter yet. ``early_timeouts``: set for the next execution: time-outs may run out while other
    tasks could go on; ``all_early``: so they may in all that follow; ``withheld``: one could have run
    out in an execution, which was not allowed, though nobody waited for it. ``learns_points``: it marks
    scheduling points itself. ``rechecks``: the search is to run each of its schedules again and to
    compare the two.
    """

    name: str = "scheduler"
    covers_all: bool = False
    static_points: bool = False
    early_timeouts: bool = False
    all_early: bool = False
    withheld: bool = False
    learns_points: bool = False
    rechecks: bool = False

    def begin(self, execution: int) -> bool:
        """Prepare the execution with this number (from 0). False ends the search: there
        is nothing left to try."""
        return True

    def watch(self, outcome: Outcome) -> None:
        """The record of the execution that begins now, which grows while it runs."""

    def use_points(self, points: bytearray) -> None:
        """The scheduling points of the program, by site number; they grow during the search."""

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Return the member of ``enabled`` that runs next.

        ``current`` is the task that announced an operation; None where it has
        ended or waits. ``step`` counts the events so far.
        """
        raise NotImplementedError

    def end(self, outcome: Outcome) -> None:
        """The execution is over."""

    def overhear(self, outcome: Outcome) -> None:
        """An execution of the same program is over that another scheduler made."""

    def reward(self, *, new_class: bool) -> None:
        """Whether the execution that is over made a happens-before class that no earlier one had made."""

    def restart(self) -> None:
        """The program has scheduling points that were not known before."""


class OneExecution(Scheduler):
    """Base of schedulers that make one execution only."""

    def begin(self, execution: int) -> bool:
        """One execution."""
        return execution == 0
