"""A remedy on trial: whether a finding still shows in its program once the code is changed, and what shows instead."""

from __future__ import annotations

from dataclasses import dataclass

from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.replay_run import warm_up
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.replay.by_operation import ReplayByOperation
from semafuzz.harness.search.evidence import Evidence, explore_until
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.schema import Trace

SCHEDULES = 1000
"""That are tried unless somebody says how many."""


@dataclass(frozen=True, slots=True)
class Trial:
    """``shows``: the finding still does; ``others``: what fails instead; ``schedules``: that were run; ``complete``:
    these were all that there are."""

    shows: bool
    others: tuple[str, ...]
    schedules: int
    complete: bool

    @property
    def silent(self) -> bool:
        """Whether nothing fails, as far as was searched."""
        return not self.shows and not self.others

    @property
    def words(self) -> str:
        """In one sentence what came of it, and what that proves."""
        many = f"{self.schedules:,} schedule{'s' if self.schedules > 1 else ''}"
        if self.shows:
            return f"still shows, in {many}"
        if self.others:
            return f"does not show in {many}, but something else does: {self.others[0]}"
        if self.complete:
            return f"silent: every schedule was run ({self.schedules:,})"
        return f"silent in {many}, which is no proof"


def try_remedy(
    trace: Trace, program: Program, setting: ExecutionConfig, laboratory: ControlledSession, schedules: int = SCHEDULES
) -> Trial:
    """Look for the failure of ``trace`` in its ``program`` on changed code: under the recorded choices as far as they
    fit, then in at most so many schedules. CannotJudge where control is lost."""
    seen = Evidence(trace.expected.identity)
    warm_up(program, setting, trace.warm)
    follow = ReplayByOperation(recorded_choices(trace))
    follow.begin(0)
    outcome = execute(program, follow, setting)
    seen.look(outcome)
    laboratory.control.between_executions()
    setting.learn(outcome)
    complete = not seen.has_shown() and explore_until(seen, program, setting, laboratory, schedules)
    return Trial(seen.has_shown(), tuple(seen.others), seen.runs, complete)
