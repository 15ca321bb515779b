"""Reproduction of a trace, also on other code than made it.

The answer is yes, no, or that it cannot be told; never a guess:

- *yes*: a controlled run of the trace's program showed its failure. First the recorded
  schedule is tried; where that does not fit, and a search is asked for, others.
- *no*: the recorded schedule fits entirely and nothing fails under it; or it does not
  fit, and every schedule of the program was run (the exhaustive search ended by
  itself) without any failure.
- *cannot be told*: everything else, with the step at which the record stopped fitting.
  A run that fails otherwise proves nothing: it may have ended before the failure in
  question could show.

What fails here without any preemption, where the recorded run needed one, is not the
recorded failure, whatever its words.

On the code that made the trace the run has to be the recorded one, event by event, unless the trace
was made with another hash seed (under pytest or unittest: a chance one): then sets may have another
order, and it is enough that the failure shows under the recorded schedule and that this run repeats.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

from semafuzz.harness.errors import CannotJudge, documentation
from semafuzz.harness.kernel.outcome import ADVICE, Decision, Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program
from semafuzz.harness.runs.replay_run import Replayed, recheck, replay, warm_up
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.replay.strict import Diverged
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.evidence import LEARNING, Evidence, explore_until, failures_of, line_of
from semafuzz.harness.search.observed_runs import ObservedRuns
from semafuzz.harness.search.recorder import has_failure
from semafuzz.harness.shrink.schedule import preemptions
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.choices import RecordedChoice
from semafuzz.harness.traces.schema import Trace

SEARCH = 5000
"""Schedules that are tried where the recorded one does not fit."""
_ORDERS = 24
OTHER_ORDER = "it was recorded with another hash seed (PYTHONHASHSEED), under which sets may have another order"


@dataclass(slots=True)
class Judgement:
    """The answer. ``reproduces``: None where it cannot be told. ``why``: one sentence
    for a person. ``replayed``: the run under the recorded schedule. ``outcome``: the
    run that showed the failure. ``schedules``: runs beyond that one."""

    reproduces: bool | None
    why: str
    replayed: Replayed
    outcome: Outcome | None = None
    schedules: int = 0

    @property
    def diverged(self) -> Diverged | None:
        """Where the recorded schedule stopped fitting."""
        return self.replayed.diverged


def check_reproduces(
    trace: Trace,
    program: Program,
    setting: ExecutionConfig,
    laboratory: ControlledSession,
    *,
    search: int = 0,
    same_code: bool = False,
) -> Judgement:
    """Whether ``trace`` reproduces in ``program``; the module says how that is told.

    ``same_code``: it is the code that made the trace, so that the run has to be the recorded one.
    ``search``: how many schedules may be tried where the recorded one does not fit.
    Raises CannotJudge where control is lost, NotDeterministic where the run that
    shows the failure does not repeat.
    """
    identity = trace.expected.identity
    choices = recorded_choices(trace)
    warm_up(program, setting, trace.warm)
    replayed = replay(program, choices, setting)
    laboratory.control.between_executions()
    outcome = replayed.outcome
    if outcome.uncontrolled:
        raise CannotJudge(outcome.uncontrolled)
    shown = has_failure(identity)(outcome)
    if replayed.diverged is None:
        if same_code and replayed.digest != trace.expected.digest:
            if shown and not same_order_of_sets(trace):
                recheck(program, outcome, setting)
                return Judgement(True, f"under the recorded schedule; {OTHER_ORDER}", replayed, outcome)
            why = (
                "the recorded schedule fits, but the run under it is not the recorded one; see "
                f"{documentation('determinism')}"
            )
            return Judgement(None, why, replayed)
        if shown:
            return Judgement(True, "under the recorded schedule", replayed, outcome)
        failures = failures_of(outcome)
        if failures:
            why = f"the recorded schedule fits, but shows another failure: {line_of(failures[0])}"
            return Judgement(None, why, replayed)
        return Judgement(False, "the recorded schedule fits, and nothing fails under it", replayed)
    stopped = f"the trace does not fit this code: {replayed.diverged}"
    if search <= 0:
        return Judgement(None, stopped, replayed)
    runs = ObservedRuns(program, Evidence(identity), setting, laboratory)
    judged = _FallbackSearch(runs, replayed, choices).run(search, advice=trace.expected.kind in ADVICE)
    judged.schedules = runs.seen.runs
    if judged.reproduces and judged.outcome is not None:
        recheck(program, judged.outcome, setting)
    return judged


def same_order_of_sets(trace: Trace) -> bool:
    """Whether sets of strings have the order here that they had when the trace was made: whether the hash seed is
    the recorded one and is no chance one."""
    return trace.hash_seed != "random" and trace.hash_seed == os.environ.get("PYTHONHASHSEED", "random")


def _needed_a_preemption(replayed: Replayed, choices: Sequence[RecordedChoice], step: int) -> bool:
    """Whether the recorded run left a task that could have gone on.

    Seen in the part of the replay that fitted, up to ``step``; or read from the record,
    which does not say who was running: the task chosen before was, where it is enabled
    and all others stand where they stood.
    """
    decisions: Sequence[Decision] = replayed.outcome.decisions
    if any(decision.preemption for decision in decisions if decision.step < step):
        return True
    for before, after in itertools.pairwise(choices):
        stood = dict(zip(before.enabled, before.pending, strict=True))
        others = [(task, words) for task, words in zip(after.enabled, after.pending, strict=True)]
        still = all(stood.get(task) == words for task, words in others if task != before.chosen)
        if still and before.chosen in after.enabled and after.chosen != before.chosen and not after.yielded:
            return True
    return False


@dataclass(slots=True)
class _FallbackSearch:
    """Looking for the failure in other schedules of the same program."""

    runs: ObservedRuns
    replayed: Replayed
    choices: Sequence[RecordedChoice]

    def run(self, search: int, *, advice: bool) -> Judgement:
        """The judgement. ``advice``: what is looked for needs no schedule of its own."""
        runs, seen, replayed, diverged = self.runs, self.runs.seen, self.replayed, self.replayed.diverged
        assert diverged is not None
        stopped = f"the trace does not fit this code: {diverged}"
        runs.learn(replayed.outcome)
        needed = not advice and _needed_a_preemption(replayed, self.choices, diverged.step)
        # What needs no preemption here, and did in the record, is another failure.
        for order in itertools.islice(itertools.permutations(range(len(replayed.outcome.tasks))), _ORDERS):
            made = runs.once(SerialOrder(order))
            if needed and seen.found is made and not preemptions(made):
                why = f"{stopped}; the same failure shows without any preemption here, so it is another defect"
                return Judgement(None, why, replayed)
        seen.look(replayed.outcome)
        # Most often that shows it, in one run; else once more when the scheduling points are known.
        following, made = runs.follow(self.choices)
        if not seen.has_shown():
            runs.walk(min(LEARNING, search))
            if seen.has_shown():
                return self._found("under another schedule of the same program")
            following, made = runs.follow(self.choices)
        if seen.has_shown():
            return self._found("under the recorded choices, with other events between them")
        if following.fits and not failures_of(made):
            why = "the recorded choices fit, with other events between them, and nothing fails under them"
            return Judgement(False, why, replayed)
        stopped = f"the trace does not fit this code: {following.stopped() or diverged}"
        complete = explore_until(seen, runs.program, runs.setting, runs.laboratory, search)
        if seen.has_shown():
            return self._found("under another schedule of the same program")
        if complete and not seen.others:
            why = f"the recorded schedule does not fit, but every schedule was run ({seen.runs}) and nothing fails"
            return Judgement(False, why, replayed)
        if seen.others:
            why = f"{stopped}; and the program fails otherwise here: {next(iter(seen.others))}"
            return Judgement(None, why, replayed)
        return Judgement(None, f"{stopped}; {seen.runs} other schedules show nothing, which proves nothing", replayed)

    def _found(self, how: str) -> Judgement:
        return Judgement(True, how, self.replayed, self.runs.seen.found)
