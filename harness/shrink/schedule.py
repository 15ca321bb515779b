"""Fewer preemptions: the schedule half of shrinking.

The passes, each in a file of its own, work on a failing run that is never changed, only
exchanged for a simpler one (``semafuzz.harness.shrink.size`` says what that means); a pass that
made no progress makes none when it is run again. In turn, until none makes progress:

1. *normal form*: the run's own operations in their simplest equivalent order;
2. *removal*: directives left out;
3. *placing*: single directives exchanged;
4. *deepening*: all schedules with few directives;
5. *necessity*: each preemption taken back alone; what was not needed goes.

Every run that is taken over was made twice, and the last one once more at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import WithoutFault
from semafuzz.harness.runs.program import Program
from semafuzz.harness.schedulers.directed import directives_of
from semafuzz.harness.shrink.deepening import Deepening
from semafuzz.harness.shrink.necessity import check_necessity
from semafuzz.harness.shrink.normal_form import in_normal_form
from semafuzz.harness.shrink.placing import placed
from semafuzz.harness.shrink.removal import without_some
from semafuzz.harness.shrink.size import Size, preemptions
from semafuzz.harness.shrink.trials import Failing, Run, Trials, size_of
from semafuzz.harness.traces.schema import Necessity

__all__ = ["Shrunk", "preemptions", "shrink_schedule"]


MANY = 20
"""Preemptions of a run above which another one is looked for first: to leave them out one by one would use the budget
up, and a first execution in lock step has one at every access."""
FEW = 40
"""Runs with few directives that are tried for that."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The simplest failing run found and what it took.

    ``necessity``: None where it was not checked, because the budget ended or the
    failure did not repeat. ``finished``: nothing simpler was left to try, so that
    the budget had no part in the result. ``steady``: the failure showed whenever
    the same choices were made; where it did not, ``outcome`` is the run given.
    """

    outcome: Outcome
    size: Size
    executions: int = 0
    necessity: Necessity | None = None
    finished: bool = False
    steady: bool = True


def shrink_schedule(
    program: Program,
    outcome: Outcome,
    setting: ExecutionConfig,
    same: Callable[[Outcome], bool],
    *,
    budget: int = 300,
    faults: int = 0,
    without_fault: WithoutFault | None = None,
    between: Callable[[], None] | None = None,
    deadline: Deadline | None = None,
) -> Shrunk:
    """The simplest failing run that ``budget`` executions find; a long one counts
    for several, a short one for a part.

    ``same`` says whether a run shows the failure. ``faults``: how many the program
    has, and ``without_fault`` the program without one of them. ``deadline``: no run is begun after
    it. ``between`` is called after each execution. ``outcome`` itself comes back where nothing simpler was found.
    """
    given = size_of(outcome, directives_of(outcome))
    first, trials = _again(program, outcome, setting, same, budget, between, deadline)
    if first is None:
        return Shrunk(outcome, given, trials.executions, steady=trials.steady)
    value, deepening = first, Deepening(trials)
    if value.size.preemptions > MANY:
        value = deepening.deepen(value, FEW)
    necessity: Necessity | None = None
    while True:
        before = value.size
        trials.reserve = 1 + min(budget // 4, before.preemptions + faults)
        value = deepening.deepen(_settled(value, trials))
        if value.size < before and trials.affords():
            continue
        trials.reserve = 1
        checked = check_necessity(value, trials, faults, without_fault)
        necessity = None if checked is None else checked.necessity
        simpler = _without(checked.without, value, trials) if checked is not None else None
        if simpler is None:
            break
        value = simpler
    trials.reserve = 0
    if value is not first:
        trials.repeats(value.run.outcome)
    if not trials.steady:
        return Shrunk(outcome, given, trials.executions, steady=False)
    unchanged = value is first and _alike(value.run.outcome, outcome)
    kept = outcome if unchanged else value.run.outcome
    return Shrunk(kept, value.size, trials.executions, necessity, deepening.finished and necessity is not None)


def _again(
    program: Program,
    outcome: Outcome,
    setting: ExecutionConfig,
    same: Callable[[Outcome], bool],
    budget: int,
    between: Callable[[], None] | None,
    deadline: Deadline | None,
) -> tuple[Failing | None, Trials]:
    """``outcome`` under directives of its own, or None where it does not fail again.

    With all the scheduling points that it teaches, or, where those disturb it (a
    long run's tasks give way after so many events without one), with its own. A run that gave way where no
    point is known, as the first of a search does, is first brought into the simplest order of its operations
    with a point at every access: what is left then stands where tasks meet, and most often fails with the points
    that it teaches.
    """
    directives = directives_of(outcome)
    trials = Trials(program, setting, same, budget, between, deadline=deadline)
    trials.learn(outcome)
    value = trials.judge(trials.make(directives))
    if value is None and trials.steady:
        trials = Trials(program, setting, same, budget, between, learns=False, deadline=deadline)
        value = trials.judge(trials.make(directives))
    if value is None and trials.steady and setting.model == "threads":
        everywhere = Trials(program, setting, same, budget, between, learns=False, everywhere=True, deadline=deadline)
        value = everywhere.judge(everywhere.make(directives))
        if value is not None:
            value, trials = _with_few_points(in_normal_form(value, everywhere), everywhere, outcome, trials)
    if value is None and trials.affords():
        trials.repeats(outcome)
    return value, trials


def _with_few_points(value: Failing, everywhere: Trials, outcome: Outcome, few: Trials) -> tuple[Failing, Trials]:
    """``value``, made with a point at every access, with the points that it and ``outcome`` teach, where it fails
    with these too; and the trials to go on with."""
    taught = few.taught_by(outcome, value.run.outcome)
    fewer = taught.judge(taught.make(value.run.directives))
    return (value, everywhere) if fewer is None else (fewer, taught)


def _alike(one: Outcome, other: Outcome) -> bool:
    """Whether two runs did the same things in the same order."""
    return [(kind, task.index, site) for kind, task, _, _, site in one.events] == [
        (kind, task.index, site) for kind, task, _, _, site in other.events
    ]


def _settled(value: Failing, trials: Trials) -> Failing:
    """``value`` after the local passes, run until none makes progress."""
    while True:
        before = value.size
        value = in_normal_form(value, trials)
        value = without_some(value, trials)
        if value.size < before:
            continue
        value = placed(value, trials)
        if value.size == before or not trials.affords():
            return value


def _without(runs: tuple[Run, ...], value: Failing, trials: Trials) -> Failing | None:
    """A simpler failing run made from one that does without a preemption; such a
    run may take more switches at first, or be interrupted elsewhere."""
    for run in runs:
        other = trials.judge(run)
        if other is not None:
            other = _settled(other, trials)
            if other.size < value.size:
                return other
    return None
