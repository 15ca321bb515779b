"""Retrace: the choices of a run again, where more scheduling points are known."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Decision
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import OneExecution


class ReplayByStep(OneExecution):
    """Chooses at each recorded step what was chosen there; at steps that the record
    does not have, the running task goes on. The run is the recorded one as long as
    its points are among those of this program; compare the outcome to know."""

    name = "retrace"

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._chosen = {decision.step: decision.chosen for decision in decisions}

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The recorded task, or else the running one, or else the first."""
        wanted = self._chosen.get(step)
        for task in enabled:
            if task.index == wanted:
                return task
        return current if current is not None and current in enabled else enabled[0]
