"""The runs that shrinking makes: counted, learned from, and believed only when repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.schedulers.directed import Directed, Directive, Place
from semafuzz.harness.shrink.size import Size, preemptions, turns
from semafuzz.harness.traces.build import choices_of

LONG = 2000
"""Events beyond which an execution counts for more than one of the budget."""
SHORT = 300
"""Events below which it counts for less than one, in tenths."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run under directives. ``directives``: those that made a difference.
    ``places``: one for each choice that was asked for."""

    outcome: Outcome
    directives: tuple[Directive, ...]
    places: tuple[Place, ...]
    fails: bool

    @property
    def size(self) -> Size:
        """How simple it is."""
        return size_of(self.outcome, self.directives)


def size_of(outcome: Outcome, directives: tuple[Directive, ...]) -> Size:
    """How simple a run is."""
    stretches = turns(outcome.events)
    return Size(preemptions(outcome), max(0, len(stretches) - 1), len(directives), stretches)


@dataclass(frozen=True, slots=True)
class Failing:
    """A run that shows the failure: the value that the passes make simpler."""

    run: Run
    size: Size


class Trials:
    """Runs one program under directives, for one failure and within one budget.

    ``same`` says whether a run shows the failure. ``learns``: scheduling points are
    learned from each run, in a copy of the setting's, so that the schedules tried do
    not depend on what the search had met before it failed. ``generation`` counts how
    often that happened. ``reserve``: runs that are kept back for what comes after the
    passes. ``steady`` turns False where a run that failed, made again, does not.
    """

    def __init__(
        self,
        program: Program,
        setting: ExecutionConfig,
        same: Callable[[Outcome], bool],
        budget: int,
        between: Callable[[], None] | None = None,
        *,
        learns: bool = True,
        everywhere: bool = False,
        deadline: Deadline | None = None,
    ) -> None:
        self._program = program
        points = b"\1" * len(setting.hot) if everywhere else setting.hot
        self._setting = replace(setting, hot=bytearray(points))
        self._same = same
        self._left = budget * 10
        self._deadline = deadline
        self._between = between
        self._failed: dict[frozenset[Directive], bool] = {}
        self._learns = learns
        self.budget = budget
        self.generation = 0
        self.reserve = 0
        self.executions = 0
        self.steady = True
        self._last_cost = 1

    def affords(self) -> bool:
        """Whether one more run is within the budget, if it is as the last one."""
        if self._deadline is not None and self._deadline.passed:
            return False
        return self._left >= (1 + self.reserve) * self._last_cost

    def learn(self, outcome: Outcome) -> None:
        """Take over the scheduling points that a run teaches."""
        if self._learns and self._setting.learn(outcome):
            self.generation += 1

    def taught_by(self, *outcomes: Outcome) -> Trials:
        """Trials of the same program with the points that these runs teach."""
        made = Trials(self._program, self._setting, self._same, self.budget, self._between, deadline=self._deadline)
        made._left = self._left
        for outcome in outcomes:
            made.learn(outcome)
        return made

    def make(
        self, directives: Iterable[Directive], program: Program | None = None, *, learn: bool = True
    ) -> Run | None:
        """A run of the program, or of ``program`` in its place; None where the
        budget is used up or the run escaped control."""
        if not self.affords():
            return None
        chosen = tuple(directives)
        directed = Directed(chosen)
        outcome = execute(program or self._program, directed, self._setting)
        self._count(outcome)
        if outcome.uncontrolled:
            return None
        fails = self._same(outcome)
        if program is None:
            if learn:
                self.learn(outcome)
            self._failed[frozenset(chosen)] = fails
        return Run(outcome, tuple(directed.followed), tuple(directed.places), fails)

    def known_to_pass(self, directives: Iterable[Directive]) -> bool:
        """Whether a run under these was made and did not fail."""
        return self._failed.get(frozenset(directives)) is False

    def attempt(self, directives: Iterable[Directive], than: Size) -> Failing | None:
        """A failing run under these directives that is simpler than ``than`` and
        fails again when its choices are replayed; None for none."""
        chosen = tuple(directives)
        if self.known_to_pass(chosen):
            return None
        run = self.make(chosen)
        return self.judge(run, than)

    def judge(self, run: Run | None, than: Size | None = None) -> Failing | None:
        """``run`` as a failing run; None unless it fails twice and is simpler than ``than``."""
        if run is None or not run.fails:
            return None
        size = run.size
        if than is not None and size >= than:
            return None
        return Failing(run, size) if self.repeats(run.outcome) else None

    def repeats(self, outcome: Outcome) -> bool:
        """Whether the failure shows again when the choices of the run are replayed;
        False also where the budget does not cover that."""
        if not self.affords():
            return False
        again = replay(self._program, choices_of(outcome), self._setting)
        self._count(again.outcome)
        if again.diverged is not None or again.outcome.uncontrolled:
            return False
        if not self._same(again.outcome):
            # The same run, judged otherwise: nothing that is judged here can be believed.
            self.steady = False
        return self.steady

    def _count(self, outcome: Outcome) -> None:
        self.executions += 1
        events = len(outcome.events)
        self._last_cost = min(10, max(1, events * 10 // SHORT)) + 10 * (events // LONG)
        self._left -= self._last_cost
        if self._between is not None:
            self._between()
