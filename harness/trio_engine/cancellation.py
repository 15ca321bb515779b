"""Cancellations as faults: plain data that says who is cancelled, and where.

A task is cancelled as by a cancel scope around all that it does: it gets
``Cancelled`` at the checkpoint where it stands, or at its next one where what it
waited for has come already, and ends without an error. The main task never is:
nobody would be left to say whether its state survived.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.trio_engine.tasks import Interruption, TrioTask


class Cancellation(NamedTuple):
    """Cancel the task with this number (0 is the main task, the others count in
    the order in which they are started) at its checkpoint with this number (from 1)."""

    task: int
    checkpoint: int


def cancellations(outcome: Outcome) -> tuple[Cancellation, ...]:
    """The cancellations that were made in a run, chosen or planned."""
    return tuple(name for _, _, _, name, _ in outcome.events if isinstance(name, Cancellation))


class Faults:
    """The cancellations of one execution: those planned, and how many more a
    scheduler may choose."""

    def __init__(self, planned: Sequence[Cancellation], budget: int) -> None:
        self._planned = frozenset((one.task, one.checkpoint) for one in planned)
        self.left = budget
        self.possible = bool(planned or budget)

    def is_planned(self, task: TrioTask) -> bool:
        """Whether the plan cancels ``task`` where it now stands."""
        return (task.index, task.checkpoints) in self._planned

    def offered(self, tasks: Sequence[TrioTask], running: TrioTask | None) -> list[Interruption]:
        """The cancellations that a scheduler may choose now: of the task that has just
        stopped and of those that wait. Those that stand at the gate were
        offered when they came there, and nothing has changed for them since."""
        if not self.left:
            return []
        return [
            interruption(task)
            for task in tasks
            if task.scope is not None
            and not task.done
            and task.checkpoints
            and not task.scope.cancel_called
            and (task.blocked or task is running)
        ]


def interruption(task: TrioTask) -> Interruption:
    """The choice to cancel ``task`` where it now stands."""
    made = Interruption(task)
    made.pending = (op.NOTE, task, "cancel", task.pending[3])
    return made
