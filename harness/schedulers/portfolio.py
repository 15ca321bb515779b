"""A portfolio: several schedulers take turns, so that no blind spot decides."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.pct import PCT
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.random_walk import RandomWalk


class Portfolio(Scheduler):
    """Round-robin over ``members``, one execution each."""

    name = "portfolio"

    def __init__(self, seed: int = 0, members: Sequence[Scheduler] | None = None) -> None:
        self._members = list(
            members or (RandomWalk(seed), PCT(seed, 2), PCT(seed, 3), RandomWalk(seed + 1), PCT(seed, 4))
        )
        self._turn = self._members[0]

    def begin(self, execution: int) -> bool:
        """Hand the execution to the next member."""
        self._turn = self._members[execution % len(self._members)]
        return self._turn.begin(execution)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """What the member in turn chooses."""
        return self._turn.choose(enabled, current, step)

    def end(self, outcome: Outcome) -> None:
        """Let the member learn."""
        self._turn.end(outcome)
