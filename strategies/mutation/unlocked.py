"""Whether a search kills a mutant of a target: a method that takes its lock by a decorator, without it.

The programs are those of two tasks of which one comes to the method; where an operation does so only when a call of it
fails, with that fault. Each is run under the mutant, one task after the other; those that meet in the method then
take turns, with switches at accesses, at locks and calls, and at random, kind by kind. An error kills that the
unchanged code does not show in more schedules of the same program, tried at the same places and at random;
a warning about lock discipline kills nobody, since it looks at the lock and not at what came of it.

That the unchanged code does not show an error is no proof that it never does: one that it shows once in thousands of
schedules can kill a mutant wrongly. Programs of three tasks are not tried.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from semafuzz.harness.edits.remedies import parse_remedy
from semafuzz.harness.edits.wrapping import remedied
from semafuzz.harness.errors import CannotJudge, NotDeterministic
from semafuzz.harness.kernel.outcome import ADVICE, Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.replay_run import recheck
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.access_sweep import AccessSweep
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.replay.by_operation import ReplayByOperation
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.traces.choices import RecordedChoice
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.strategies.mutation.method_programs import MethodPrograms, names_of
from semafuzz.strategies.mutation.section_sweep import SectionSweep
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario

FIRST = 48
"""Schedules of a program in its first turn, and twice as many in each further one."""
LOOK = 16
"""From this many a program in which sections do not meet has a few at places of other kinds, to see whether anything
does."""
LEARNING = 5
"""Of so many further schedules one is looked at for scheduling points: few come later, and looking costs as much as a
fifth of a schedule."""
DOUBLINGS = 6
"""A turn has at most so many times twice as many schedules: thousands."""
CONTROL, MOST_CONTROL = 300, 3000
"""Schedules of the unchanged code in which an error must not show: three times as many as it took, at least and at
most so many."""
CONTROLS = 600.0
"""Seconds that these may take for one mutant, beside its search. What they cannot end for kills nobody."""
PROGRAMS = 400
"""Programs of a mutant, at most."""
SERIAL = 2
"""Each task first to its end."""
CHUNK = 48
"""Programs that are looked at before those that meet the method are searched further."""
EACH = 6
"""Schedules of further search for each of them, before the next ones are looked at."""

Kind = tuple[frozenset[int], tuple[str, ...]]
"""Where another task met the method in the runs of one task after the other, as numbers of sites; or else, between
which operations a program is."""
Innocent = tuple[tuple[str, ...], frozenset[str]]
"""An error that the unchanged code shows, and between which operations."""


@dataclass(frozen=True, slots=True)
class Death:
    """What became of a mutant. ``killed``: by this error, or ""; ``operations``: those that come to the method;
    ``programs``: how many were run, ``meeting``: those of them in which another task touches what the method touches,
    without a lock that both hold, and ``searched``: those that had a turn; ``schedules`` of all, those in which an
    error was looked for in the unchanged code among them."""

    killed: str
    operations: tuple[str, ...]
    programs: int
    meeting: int
    searched: int
    schedules: int


@dataclass(slots=True)
class _Tried:
    """A program under the mutant, with what goes on with it. ``swept``: nothing but chance is left to try."""

    scenario: Scenario
    systematic: OneChangeSweep
    sections: AccessSweep | SectionSweep
    portfolio: Scheduler
    schedules: int = 0
    turns: int = 0
    swept: bool = False
    kind: Kind = frozenset(), ()

    @property
    def meetings(self) -> frozenset[int]:
        """The places in the code at which another task meets the method, as numbers of sites."""
        return self.sections.meetings if isinstance(self.sections, SectionSweep) else frozenset()


@dataclass(slots=True)
class MutantSearch:
    """The search of one target's mutants, in an open session of the unchanged code."""

    target: Target
    opened: OpenTarget
    laboratory: ControlledSession
    seed: int = 0
    _programs: MethodPrograms = field(init=False)
    _innocent: set[Innocent] = field(default_factory=set)
    _schedules: int = 0
    _controls: float = CONTROLS
    _spent: Counter[Kind] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._programs = MethodPrograms(self.target, self._alone, self.seed)

    def judge(self, unlocked: str, seconds: float, seen_as: str = "") -> Death:
        """Search a method without its lock. ``unlocked``: CLASS.METHOD; ``seconds``: of searching it, once it is known
        what comes to it, and without the runs of the unchanged code; ``seen_as``: the public method by whose calls it
        is known, for a private one."""
        method = seen_as or unlocked
        operations, scenarios = self._programs.reaching(method)
        deadline, self._controls = Deadline(seconds), CONTROLS
        mutant = ExecutionConfig(self._no_points(), seed=self.seed)
        left: list[_Tried] = []
        begun_with: list[_Tried] = []
        self._schedules, self._spent = 0, Counter()

        def told(killed: str) -> Death:
            programs = [one for one in begun_with if one.schedules]
            meeting = sum(bool(one.sections.places) for one in programs)
            searched = sum(one.turns > 0 for one in programs)
            return Death(killed, operations, len(programs), meeting, searched, self._schedules)

        def search(some: Sequence[_Tried], allowed: int) -> Death | None:
            for one in some:
                killed = "" if deadline.passed else self._kills(one, unlocked, allowed, mutant, deadline)
                if killed or deadline.passed:
                    return told(killed)
            return None

        chunks = _chunks(itertools.islice(scenarios, PROGRAMS))
        death: Death | None = None
        budget = 0
        while True:
            chunk = next(chunks, None)
            if chunk is not None:
                some = [self._tried(scenario, method) for scenario in chunk]
                begun_with += some
                # First one task after the other, which tells how much meets.
                death = search(some, SERIAL) or search([one for one in some if not one.sections.places], LOOK)
                for one in some:
                    # Further runs may meet it at further places.
                    one.kind = one.meetings, () if one.meetings else tuple(sorted(names_of(one.scenario)))
                left += [one for one in some if one.sections.places or one.systematic.met]
            elif not left:
                return told("")
            # Not by the clock, so that a slow machine does the same later.
            budget += EACH * len(chunk) if chunk is not None else sys.maxsize
            while death is None and left and self._spent.total() < budget:
                one = min(left, key=self._next_turn)
                before = one.schedules
                one.turns += 1
                death = search([one], FIRST << min(one.turns - 1, DOUBLINGS))
                self._spent[one.kind] += one.schedules - before
                if one.schedules == before:
                    left.remove(one)
            if death is not None:
                return death

    def _kills(self, one: _Tried, method: str, allowed: int, mutant: ExecutionConfig, deadline: Deadline) -> str:
        """The error that kills, in words; "" where so many further schedules of a program show none."""
        try:
            with remedied(self.opened.modules, [parse_remedy(f"unlock {method}")], self.opened.callers):
                found = self._errors(one, allowed, mutant, deadline)
        except ImpossibleStartError:
            # Most often an instance of most parts has no place there.
            plainer = self._programs.plainer(one.scenario)
            if plainer is None:
                return ""
            one.scenario = plainer
            return self._kills(one, method, allowed, mutant, deadline)
        for failure, choices in found:
            begun = perf_counter()
            innocent = self._shows_without(one, failure, choices, mutant)
            took = perf_counter() - begun
            self._controls -= took
            deadline.at += took
            if not innocent:
                return f"{failure.kind}: {failure.message[:150]} ({', '.join(names_of(one.scenario))})"
        return ""

    def _next_turn(self, one: _Tried) -> tuple[int, bool, int, bool, bool, int]:
        """Whose turn is next. Programs that meet the method at the same places are of one kind, and the kinds have as
        many schedules each, but for a turn: most programs are of a few kinds. Of a kind all places of one program are
        tried first, then those of the next one; chance is for when none has places left."""
        return self._spent[one.kind], one.swept, one.turns if one.swept else -one.turns, *_worth(one)

    def _no_points(self) -> bytearray:
        return bytearray(max(1 << 17, 4 * len(SITES)))

    def _tried(self, scenario: Scenario, method: str) -> _Tried:
        target = self.target
        systematic = OneChangeSweep(target.changes_nothing_for_others, sees_memory=True)
        # The unchanged code has no such sections.
        sections = SectionSweep(method, target.changes_nothing_for_others) if method else AccessSweep()
        return _Tried(scenario, systematic, sections, make_scheduler("portfolio", self.seed))

    # ------------------------------------------------------------ runs

    def _alone(self, scenario: Scenario, scheduler: Scheduler) -> Outcome:
        return self._run(self.opened.program(scenario), scheduler, ExecutionConfig(self._no_points()))

    def _run(self, program: Program, scheduler: Scheduler, setting: ExecutionConfig) -> Outcome:
        outcome = execute(program, scheduler, setting)
        self.laboratory.control.between_executions()
        if outcome.uncontrolled:
            raise CannotJudge(outcome.uncontrolled)
        return outcome

    def _errors(
        self, one: _Tried, allowed: int, setting: ExecutionConfig, deadline: Deadline
    ) -> list[tuple[Failure, list[RecordedChoice]]]:
        """New errors of a program in so many further schedules, each of which shows again when its schedule is
        repeated; with the choices of that."""
        program = self.opened.program(one.scenario)
        names = frozenset(names_of(one.scenario))
        found: dict[tuple[str, ...], tuple[Failure, list[RecordedChoice]]] = {}
        for outcome in self._outcomes(one, program, allowed, setting):
            for failure in _errors_of(outcome):
                identity = failure_identity(failure)
                known = (identity, names) in self._innocent or identity in found
                if not known and self._repeats(program, outcome, setting):
                    found[identity] = failure, choices_of(outcome)
            if deadline.passed:
                break
        return list(found.values())

    def _outcomes(self, one: _Tried, program: Program, allowed: int, setting: ExecutionConfig) -> Iterator[Outcome]:
        """Further runs of a program: most of them leave a task where sections meet. Where nothing meets it is left at
        the first kind."""
        before = one.schedules
        for scheduler, many in (
            (one.systematic, max(2, allowed // 8)),
            (one.sections, allowed - allowed // 4),
            (one.portfolio, allowed // 8),
        ):
            if scheduler is one.portfolio:
                one.swept = one.schedules == before
            yield from self._runs(one, program, scheduler, many, setting)
            if (not one.sections.places and not one.systematic.met) or allowed <= SERIAL:
                return

    def _runs(
        self, one: _Tried, program: Program, scheduler: Scheduler, many: int, setting: ExecutionConfig
    ) -> Iterator[Outcome]:
        """So many further runs under one scheduler, or as many as it has."""
        for _ in range(many):
            if not scheduler.begin(one.schedules):
                return
            outcome = self._run(program, scheduler, setting)
            serial = scheduler is one.systematic and one.systematic.serial_task is not None
            if serial or outcome.failures or one.schedules % LEARNING == 0:
                setting.learn(outcome)
            scheduler.end(outcome)
            if scheduler is one.systematic and one.systematic.serial_task is not None:
                one.sections.learn(one.systematic.serial_task, outcome)
            one.schedules += 1
            self._schedules += 1
            yield outcome

    def _control(self, one: _Tried, program: Program, many: int, setting: ExecutionConfig) -> Iterator[Outcome]:
        """So many runs of the unchanged code: what the places leave over is tried at random."""
        yield from self._outcomes(one, program, many, setting)
        yield from self._runs(one, program, one.portfolio, many - one.schedules, setting)

    def _repeats(self, program: Program, outcome: Outcome, setting: ExecutionConfig) -> bool:
        try:
            recheck(program, outcome, setting)
        except NotDeterministic:
            return False
        finally:
            self.laboratory.control.between_executions()
        return True

    def _shows_without(
        self, one: _Tried, failure: Failure, choices: list[RecordedChoice], mutant: ExecutionConfig
    ) -> bool:
        """Whether the unchanged code shows the error too: under the same choices, as far as they fit, or others; or
        there is no time to see. What it shows kills no further program of the same operations."""
        identity = failure_identity(failure)
        program, again = self.opened.program(one.scenario), self._tried(one.scenario, "")
        setting = ExecutionConfig(mutant.hot, seed=self.seed)
        many = min(max(CONTROL, 3 * one.schedules), MOST_CONTROL)
        follow = ReplayByOperation(choices)
        follow.begin(0)
        alike = self._run(program, follow, setting)
        setting.learn(alike)
        control = Deadline(self._controls)
        for outcome in itertools.chain([alike], self._control(again, program, many, setting)):
            if identity in map(failure_identity, outcome.failures):
                self._innocent.add((identity, frozenset(names_of(one.scenario))))
                return True
            if control.passed:
                return True
        return False


def _errors_of(outcome: Outcome) -> list[Failure]:
    return [one for one in outcome.failures if one.severity == "error" and one.kind not in ADVICE]


def _worth(one: _Tried) -> tuple[bool, bool, int]:
    """What is tried first: where the method changes what a section of another task touches, or else meets it at all;
    of these the programs with the fewest places, which are soon done."""
    places = one.sections.places
    return not (isinstance(one.sections, SectionSweep) and one.sections.changes), not places, places


def _chunks(scenarios: Iterator[Scenario]) -> Iterator[list[Scenario]]:
    while chunk := list(itertools.islice(scenarios, CHUNK)):
        yield chunk
