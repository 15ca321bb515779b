"""Replay by owner: events come from the given tasks, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.schedulers.protocol import OneExecution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semafuzz.harness.kernel.task import Task


DRIVER = 9999
"""The driver's number: above those of all tasks, which count from 0 as in a program."""


def owners(outcome: Outcome) -> list[int]:
    """Which task made each event, as the same tasks make them in a run of a whole
    program: there a task ends after its last operation, here when all is settled."""
    found: list[int] = []
    last: dict[int, int] = {}
    for kind, task, _, _, _ in outcome.events:
        if task.index != DRIVER and kind != op.END:
            last[task.index] = len(found)
            found.append(task.index)
    made: list[int] = []
    for position, index in enumerate(found):
        made.append(index)
        if last[index] == position:
            made.append(index)
    return made


class ReplayByOwner(OneExecution):
    """A scheduler that lets the events come from the given tasks, in order, as far
    as those are enabled; then every task runs on."""

    name = "following"

    def __init__(self, wanted: Sequence[int]) -> None:
        self._wanted = wanted

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The task that made this event."""
        wanted = self._wanted[step] if step < len(self._wanted) else -1
        for task in enabled:
            if task.index == wanted:
                return task
        return current if current is not None and current in enabled else enabled[0]
