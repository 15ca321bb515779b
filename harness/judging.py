"""Does a trace reproduce on this code? Also where this is not the code that made it.

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
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType

from harness.errors import CannotJudge
from harness.explore import Exploration
from harness.findings import shows
from harness.kernel.conflicts import heat
from harness.kernel.execution import Chooser
from harness.kernel.outcome import Decision, Outcome
from harness.laboratory import Laboratory
from harness.program import Program, Setting, execute
from harness.replaying import Replayed, recheck, replay
from harness.schedulers.exhaustive import Exhaustive
from harness.schedulers.follow import Follow
from harness.schedulers.portfolio import Portfolio
from harness.schedulers.protocol import Scheduler
from harness.schedulers.replay import Diverged, RecordedChoice
from harness.schedulers.serial import Serial
from harness.traces.build import recorded_choices
from harness.traces.schema import Trace

SEARCH = 5000
"""Schedules that are tried where the recorded one does not fit."""
LEARNING = 20
_WALKING = 200
_ORDERS = 24
_HOPELESS = 40
"""Failing runs in a row after which a search that can no longer prove anything ends."""


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


@dataclass(slots=True)
class _Watched:
    """The program, with every run looked at: is it the failure, another, or none?"""

    inner: Program
    identity: tuple[str, ...]
    name: str = "watched"
    runs: int = 0
    found: Outcome | None = None
    others: dict[str, None] = field(default_factory=dict)
    failing: int = 0

    def modules(self) -> Sequence[ModuleType]:
        return self.inner.modules()

    def execute(self, scheduler: Chooser, setting: Setting, forced: dict[int, bool] | None = None) -> Outcome:
        outcome = self.inner.execute(scheduler, setting, forced)
        if outcome.uncontrolled:
            raise CannotJudge(outcome.uncontrolled)
        self.runs += 1
        self.failing = self.failing + 1 if outcome.failures else 0
        if self.found is None and shows(self.identity)(outcome):
            self.found = outcome
        for failure in outcome.failures:
            self.others.setdefault(f"{failure.kind}: {failure.message.splitlines()[0] if failure.message else ''}")
        return outcome

    def has_shown(self) -> bool:
        return self.found is not None

    @property
    def hopeless(self) -> bool:
        return self.failing >= _HOPELESS


class _UntilFound:
    """A scheduler that stops searching once the failure has shown."""

    def __init__(self, inner: Scheduler, watched: _Watched, exhaustive: bool) -> None:
        self.name = inner.name
        self._inner = inner
        self._watched = watched
        self._exhaustive = exhaustive
        self.choose = inner.choose
        self.end = inner.end
        self.restart = getattr(inner, "restart", lambda: None)

    def begin(self, execution: int) -> bool:
        watched = self._watched
        if watched.found is not None or watched.hopeless or (self._exhaustive and watched.others):
            return False
        return self._inner.begin(execution)


def judge(trace: Trace, program: Program, setting: Setting, laboratory: Laboratory, *, search: int = 0) -> Judgement:
    """Whether ``trace`` reproduces in ``program``; the module says how that is told.

    ``search``: how many schedules may be tried where the recorded one does not fit.
    Raises CannotJudge where control is lost, NotDeterministic where the run that
    shows the failure does not repeat.
    """
    identity = trace.expected.identity
    choices = recorded_choices(trace)
    replayed = replay(program, choices, setting)
    laboratory.control.between_executions()
    outcome = replayed.outcome
    if outcome.uncontrolled:
        raise CannotJudge(outcome.uncontrolled)
    shown = shows(identity)(outcome)
    if replayed.diverged is None:
        if shown:
            return Judgement(True, "under the recorded schedule", replayed, outcome)
        if outcome.failures:
            return Judgement(
                None, f"the recorded schedule fits, but shows another failure: {_first(outcome)}", replayed
            )
        return Judgement(False, "the recorded schedule fits, and nothing fails under it", replayed)
    stopped = f"the trace does not fit this code: {replayed.diverged}"
    if search <= 0:
        return Judgement(None, stopped, replayed)
    watched = _Watched(program, identity)
    judged = _research(watched, replayed, choices, setting, laboratory, search)
    judged.schedules = watched.runs
    if judged.reproduces and judged.outcome is not None:
        recheck(program, judged.outcome, setting)
    return judged


def _first(outcome: Outcome) -> str:
    failure = outcome.failures[0]
    return f"{failure.kind}: {failure.message.splitlines()[0] if failure.message else ''}"


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


def _research(
    watched: _Watched,
    replayed: Replayed,
    choices: Sequence[RecordedChoice],
    setting: Setting,
    laboratory: Laboratory,
    search: int,
) -> Judgement:
    """Look for the failure in other schedules of the same program."""
    diverged = replayed.diverged
    assert diverged is not None
    stopped = f"the trace does not fit this code: {diverged}"
    outcome = replayed.outcome
    _learn(outcome, setting)
    needed = _needed_a_preemption(replayed, choices, diverged.step)

    def run(scheduler: Scheduler) -> Outcome:
        scheduler.begin(0)
        made = execute(watched, scheduler, setting)
        _learn(made, setting)
        laboratory.control.between_executions()
        return made

    def found(how: str) -> Judgement:
        return Judgement(True, how, replayed, watched.found)

    # What needs no preemption here, and did in the record, is another failure.
    for order in itertools.islice(itertools.permutations(range(len(outcome.tasks))), _ORDERS):
        made = run(Serial(order))
        if watched.found is made and needed and not any(decision.preemption for decision in made.decisions):
            why = f"{stopped}; the same failure shows without any preemption here, so it is another defect"
            return Judgement(None, why, replayed)
    if not watched.has_shown() and shows(watched.identity)(outcome):
        watched.found = outcome
    walk = Portfolio(setting.seed)
    for number in range(min(LEARNING, search)):
        if watched.has_shown():
            break
        walk.begin(number)
        made = execute(watched, walk, setting)
        walk.end(made)
        _learn(made, setting)
        laboratory.control.between_executions()
    if watched.has_shown():
        return found("under another schedule of the same program")
    follow = Follow(choices)
    made = run(follow)
    if watched.has_shown():
        return found("under the recorded choices, with other events between them")
    if follow.fits and not made.failures:
        why = "the recorded choices fit, with other events between them, and nothing fails under them"
        return Judgement(False, why, replayed)
    stopped = f"the trace does not fit this code: {follow.stopped() or diverged}"
    complete = _explore(watched, setting, laboratory, search)
    if watched.has_shown():
        return found("under another schedule of the same program")
    if complete and not watched.others:
        why = f"the recorded schedule does not fit, but every schedule was run ({watched.runs}) and nothing fails"
        return Judgement(False, why, replayed)
    if watched.others:
        return Judgement(
            None, f"{stopped}; and the program fails otherwise here: {next(iter(watched.others))}", replayed
        )
    return Judgement(None, f"{stopped}; {watched.runs} other schedules show nothing, which proves nothing", replayed)


def _learn(outcome: Outcome, setting: Setting) -> None:
    if setting.model == "threads":
        heat(outcome.events, setting.hot)


def _explore(watched: _Watched, setting: Setting, laboratory: Laboratory, search: int) -> bool:
    """Search up to the budget: a part at random, then one by one. True where every
    schedule was run."""
    walking = min(_WALKING, search // 10)
    for scheduler, schedules in ((Portfolio(setting.seed + 1), walking), (Exhaustive(), search - walking)):
        guarded = _UntilFound(scheduler, watched, isinstance(scheduler, Exhaustive))
        exploration = Exploration(
            watched,
            guarded,
            laboratory,
            schedules=max(1, schedules),
            seed=setting.seed,
            model=setting.model,
            stop_on_first=False,
            hot=setting.hot,
            shrink_budget=0,
        )
        result = exploration.run()
        if result.verdict == "uncontrolled":
            raise CannotJudge("; ".join(result.notes))
        if watched.has_shown() or watched.others:
            return False
    return result.exhausted
