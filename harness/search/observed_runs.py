"""Single runs of a program, each looked at for one failure and learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.portfolio import Portfolio
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.replay.by_operation import ReplayByOperation
from semafuzz.harness.search.evidence import Evidence
from semafuzz.harness.traces.choices import RecordedChoice


@dataclass(slots=True)
class ObservedRuns:
    """Runs of ``program`` whose scheduling points are learned on the way; ``seen`` is what they have shown."""

    program: Program
    seen: Evidence
    setting: ExecutionConfig
    laboratory: ControlledSession

    def learn(self, outcome: Outcome) -> None:
        """Take the scheduling points of a run, and leave it behind."""
        self.laboratory.control.between_executions()
        self.setting.learn(outcome)

    def once(self, scheduler: Scheduler, number: int = 0) -> Outcome:
        """One more run, the one of this ``number`` for the scheduler. CannotJudge where control is lost in it."""
        scheduler.begin(number)
        outcome = execute(self.program, scheduler, self.setting)
        scheduler.end(outcome)
        self.seen.look(outcome)
        self.learn(outcome)
        return outcome

    def walk(self, schedules: int) -> None:
        """Some runs at random until the failure shows, which also teach the scheduling points of this code."""
        portfolio = Portfolio(self.setting.seed)
        for number in range(schedules):
            if self.seen.has_shown():
                return
            self.once(portfolio, number)

    def follow(self, choices: Sequence[RecordedChoice]) -> tuple[ReplayByOperation, Outcome]:
        """A run under recorded choices, with other events between them; and how far they fitted."""
        following = ReplayByOperation(choices)
        return following, self.once(following)
