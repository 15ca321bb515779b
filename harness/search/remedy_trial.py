"""A remedy on trial: whether a finding still shows in its program once the code is changed, and what shows instead."""

from __future__ import annotations

from dataclasses import dataclass

from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program
from semafuzz.harness.runs.replay_run import replay, warm_up
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.search.evidence import LEARNING, Evidence, explore_until
from semafuzz.harness.search.observed_runs import ObservedRuns
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.schema import Trace

SCHEDULES = 1000
"""That are tried unless somebody says how many."""
FOLLOWED = 8
"""How often the recorded choices are followed once some runs have taught the scheduling points: a later run has those
that the one before came to."""


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
            return "silent, and every schedule was run"
        return f"silent in {many}, which is no proof"


def try_remedy(
    trace: Trace, program: Program, setting: ExecutionConfig, laboratory: ControlledSession, schedules: int = SCHEDULES
) -> Trial:
    """Look for the failure of ``trace`` in its ``program`` on changed code: under the recorded choices as far as they
    fit, again and again until the scheduling points of this code are known, then in others. ``schedules``: of all
    these, at most. CannotJudge where control is lost."""
    seen = Evidence(trace.expected.identity)
    warm_up(program, setting, trace.warm)
    choices = recorded_choices(trace)
    runs = ObservedRuns(program, seen, setting, laboratory)
    # Where the code is the recorded one, that shows it.
    recorded = replay(program, choices, setting).outcome
    seen.look(recorded)
    runs.learn(recorded)
    runs.walk(min(LEARNING, schedules - seen.runs))
    known = -1
    for _ in range(FOLLOWED):
        if seen.has_shown() or seen.runs >= schedules or sum(setting.hot) == known:
            break
        known = sum(setting.hot)
        runs.follow(choices)
    complete = not seen.has_shown() and explore_until(seen, program, setting, laboratory, schedules - seen.runs)
    return Trial(seen.has_shown(), tuple(seen.others), seen.runs, complete)
