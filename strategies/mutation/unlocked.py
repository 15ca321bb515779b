"""Whether a search kills a mutant of a target: a method that takes its lock by a decorator, without it.

The programs are those of two tasks of which one comes to the method; where an operation does so only when a call of it
fails, with that fault. Each is run under the mutant, with switches at accesses, at locks and calls, and at random,
in rounds that grow. An error kills that the unchanged code does not show in more schedules of the same program;
a warning about lock discipline kills nobody, since it looks at the lock and not at what came of it.

That the unchanged code does not show an error is no proof that it never does: one that it shows once in thousands of
schedules can kill a mutant wrongly. Programs of three tasks are not tried.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from semafuzz.harness.edits.remedies import parse_remedy
from semafuzz.harness.edits.wrapping import remedied
from semafuzz.harness.errors import CannotJudge, NotDeterministic
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import ADVICE, Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent
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
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.traces.choices import RecordedChoice
from semafuzz.harness.traces.schema import Operation
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.strategies.mutation.section_sweep import SectionSweep
from semafuzz.targets.model.configured_target import configure
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario

FIRST = 16
"""Schedules of a program in its first turn, and twice as many in each further one."""
MOST_TURNS = 10
"""Of a program; in the last it has thousands of schedules."""
FOREVER = 1e9
"""Seconds."""
CONTROL, MOST_CONTROL = 300, 3000
"""Schedules of the unchanged code in which an error must not show: three times as many as it took, at least and at
most so many."""
LOOKING = 4000
"""Runs of one task in which an operation is looked for that comes to the method when a call of it fails."""
PROGRAMS = 400
"""Programs of a mutant, at most."""
MOST_OPERATIONS = 4
"""Of those that come to a method."""
SERIAL = 2
"""Each task first to its end."""
CHUNK = 24
"""Programs that are looked at before those of them that meet most are searched."""
OFTEN = 3
"""The weight of an operation that runs all the time."""
TIMES, AGAIN = 8, 3
"""How often two operations come, at most, where one of them does and where none."""
FAULTS = 6
"""Faults by which an operation comes to the method, at most."""

_CALLS = frozenset({op.CALL, op.RETURN})
Innocent = tuple[tuple[str, ...], frozenset[str]]
"""An error that the unchanged code shows, and between which operations."""


@dataclass(frozen=True, slots=True)
class Death:
    """What became of a mutant. ``killed``: by this error, or ""; ``operations``: those that come to the method;
    ``programs``: how many were tried, ``meeting``: those of them in which another task touches what the method touches,
    without a lock that both hold; ``schedules`` of all."""

    killed: str
    operations: tuple[str, ...]
    programs: int
    meeting: int
    schedules: int


@dataclass(slots=True)
class _Tried:
    """A program under the mutant, with what goes on with it."""

    scenario: Scenario
    systematic: OneChangeSweep
    sections: AccessSweep | SectionSweep
    portfolio: Scheduler
    schedules: int = 0
    turns: int = 0


@dataclass(slots=True)
class MutantSearch:
    """The search of one target's mutants, in an open session of the unchanged code."""

    target: Target
    opened: OpenTarget
    laboratory: ControlledSession
    seed: int = 0
    _scope: SmallScope = field(init=False)
    _innocent: set[Innocent] = field(default_factory=set)
    _schedules: int = 0

    def __post_init__(self) -> None:
        self._scope = SmallScope(self.target, self._calls_of, self.seed)

    def judge(self, unlocked: str, seconds: float, seen_as: str = "") -> Death:
        """Search a method without its lock. ``unlocked``: CLASS.METHOD; ``seconds``: of searching, the runs of the
        unchanged code among them; ``seen_as``: the public method by whose calls it is known, for a private one."""
        method = seen_as or unlocked
        operations, scenarios = self._reaching(method)
        deadline = Deadline(seconds)
        mutant = ExecutionConfig(self._no_points(), seed=self.seed)
        left: list[_Tried] = []
        programs = self._schedules = 0

        def told(killed: str) -> Death:
            return Death(
                killed,
                operations,
                programs,
                sum(bool(one.sections.places) for one in left),
                self._schedules,
            )

        def searched(some: Sequence[_Tried], allowed: int) -> Death | None:
            for one in some:
                killed = "" if deadline.passed else self._kills(one, unlocked, allowed, mutant, deadline)
                if killed or deadline.passed:
                    return told(killed)
            return None

        chunks = _chunks(itertools.islice(scenarios, PROGRAMS))
        death: Death | None = None
        while True:
            begun = perf_counter()
            chunk = next(chunks, None)
            if chunk is not None:
                some = [self._tried(scenario, method) for scenario in chunk]
                programs += len(some)
                # First one task after the other, which tells how much meets.
                death = searched(some, SERIAL) or searched(sorted(some, key=_worth)[: len(some) // 3], FIRST)
                left += [one for one in some if one.sections.places or one.systematic.met]
            elif not left:
                return told("")
            # As long as that took, those that meet have further turns.
            until = perf_counter() + (perf_counter() - begun if chunk is not None else FOREVER)
            while death is None and left and perf_counter() < until:
                one = min(left, key=_next_turn)
                one.turns += 1
                before = one.schedules
                death = searched([one], FIRST << one.turns)
                if one.schedules == before or one.turns >= MOST_TURNS:
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
            plainer = self._scope.plainer(one.scenario)
            if plainer is None:
                return ""
            one.scenario = plainer
            return self._kills(one, method, allowed, mutant, deadline)
        for failure, choices in found:
            if not self._shows_without(one, failure, choices, mutant):
                return f"{failure.kind}: {failure.message[:150]} ({', '.join(_names(one.scenario))})"
        return ""

    def _no_points(self) -> bytearray:
        return bytearray(max(1 << 17, 4 * len(SITES)))

    # ------------------------------------------------------------ programs

    def _reaching(self, method: str) -> tuple[tuple[str, ...], Iterator[Scenario]]:
        """The operations that come to the method, and programs of one of them beside another operation."""
        scope = self._scope
        reached = self._reached(method, scope)
        if reached:
            return reached, iter(self._by_worth(reached))
        failing = [one for one in scope.singles() if one.faults and len(_names(one)) == 1]
        random.Random(f"{self.seed} {method}").shuffle(failing)
        first = next((one for one in failing[:LOOKING] if self._comes_to(method, one)), None)
        if first is None:
            return (), iter(())
        (name,) = _names(first)
        alike = (one for one in failing[:LOOKING] if _names(one) == [name] and self._comes_to(method, one))
        return (name,), self._with_faults(method, name, [one.faults[0] for one in itertools.islice(alike, FAULTS)])

    def _with_faults(self, method: str, name: str, faults: Sequence[Operation]) -> Iterator[Scenario]:
        """Programs of an operation beside another one, each with the first of these faults of the one with which it
        comes to the method there."""
        fitting: dict[str, Operation | None] = {}
        for scenario in self._by_worth([name]):
            done = [
                (place, one) for place, task in enumerate(scenario.content.tasks) for one in task if one.name == name
            ]
            if not done:
                continue
            task, operation = done[0]
            # What it comes to depends on its instance.
            number = operation.arguments.get("instance")
            on = str([one.arguments for one in scenario.content.setup if one.arguments.get("instance") == number])

            def failing(fault: Operation, scenario: Scenario = scenario, task: int = task) -> Scenario:
                planned = Operation(fault.name, {**fault.arguments, "task": task})
                return Scenario(scenario.content, scenario.configuration, (planned,))

            on = on.replace(f"'instance': {number}", "")
            if on not in fitting:
                fitting[on] = next((one for one in faults if self._comes_to(method, failing(one), task)), None)
            found = fitting[on]
            if found is not None:
                yield failing(found)

    def _by_worth(self, operations: Sequence[str]) -> list[Scenario]:
        """Programs of one of these operations beside another one, again and again on other instances: two that want
        most of everything have no room together, and some operations are for small ones. What runs all the time comes
        as much more often, on instances with which it does something of its own."""
        weights = {info.name: info.weight for info in self.target.operations()}
        often = sorted({*operations, *(name for name, weight in weights.items() if weight >= OFTEN)})
        found: list[tuple[float, int, Scenario]] = []
        for repeats, target in ((False, self.target), (True, configure(self.target, (), often))):
            scope = SmallScope(target, self._calls_of, self.seed, self._places_of if repeats else lambda _: frozenset())
            for number, scenario in scope.pairs():
                names = _names(scenario)
                wanted = 0 < number < TIMES if repeats else number < AGAIN
                if wanted and not set(operations).isdisjoint(names):
                    worth = (number + 1) / max(weights[name] for name in names)
                    found.append((worth, len(found), scenario))
        return [scenario for *_, scenario in sorted(found, key=lambda one: one[:2])]

    def _reached(self, method: str, scope: SmallScope) -> tuple[str, ...]:
        """The operations that come to the method by themselves: of those in which it changes something the likeliest,
        and those in which it changes most."""
        weights = {info.name: info.weight for info in self.target.operations()}
        found: dict[str, tuple[int, int, int]] = {}
        for scenario in scope.essentials():
            events = self._events_of(scenario)
            calls = [step for step, event in enumerate(events) if event[0] in _CALLS and event[3] == method]
            if calls:
                written = sum(event[0] in op.WRITES for event in events[calls[0] : calls[-1]])
                (name,) = _names(scenario)
                found[name] = min(found.get(name, (0, 0, 0)), (-weights[name], -written, len(events)))
        changing = [name for name, (_, written, _) in found.items() if written]
        # One of those that change nothing alone stands for all.
        return tuple(sorted(changing or found, key=found.__getitem__)[: MOST_OPERATIONS if changing else 1])

    def _comes_to(self, method: str, scenario: Scenario, task: int = 0) -> bool:
        return any(kind == op.CALL and name == method for kind, _, _, name, _ in self._events_of(scenario, task))

    def _places_of(self, scenario: Scenario) -> frozenset[int]:
        return frozenset(site for *_, site in self._events_of(scenario))

    def _calls_of(self, scenario: Scenario) -> list[str]:
        return [str(name) for kind, _, _, name, _ in self._events_of(scenario) if kind == op.IO]

    def _events_of(self, scenario: Scenario, task: int = 0) -> Sequence[RawEvent]:
        """Of a run in which this task goes first to its end."""
        order = (task, *(other for other in range(len(scenario.content.tasks)) if other != task))
        try:
            outcome = self._run(self.opened.program(scenario), SerialOrder(order), ExecutionConfig(self._no_points()))
        except ImpossibleStartError:
            return ()
        return outcome.events

    def _tried(self, scenario: Scenario, method: str) -> _Tried:
        target = self.target
        systematic = OneChangeSweep(target.changes_nothing_for_others, sees_memory=True)
        # The unchanged code has no such sections.
        sections = SectionSweep(method, target.changes_nothing_for_others) if method else AccessSweep()
        return _Tried(scenario, systematic, sections, make_scheduler("portfolio", self.seed))

    # ------------------------------------------------------------ runs

    def _run(self, program: Program, scheduler: Scheduler, setting: ExecutionConfig) -> Outcome:
        outcome = execute(program, scheduler, setting)
        self.laboratory.control.between_executions()
        if outcome.uncontrolled:
            raise CannotJudge(outcome.uncontrolled)
        setting.learn(outcome)
        return outcome

    def _errors(
        self, one: _Tried, allowed: int, setting: ExecutionConfig, deadline: Deadline
    ) -> list[tuple[Failure, list[RecordedChoice]]]:
        """New errors of a program in so many further schedules, each of which shows again when its schedule is
        repeated; with the choices of that."""
        program = self.opened.program(one.scenario)
        names = frozenset(_names(one.scenario))
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
        for scheduler, many in (
            (one.systematic, max(2, allowed // 8)),
            (one.sections, allowed - allowed // 4),
            (one.portfolio, allowed // 8),
        ):
            for _ in range(many):
                if not scheduler.begin(one.schedules):
                    break
                outcome = self._run(program, scheduler, setting)
                scheduler.end(outcome)
                if scheduler is one.systematic and one.systematic.serial_task is not None:
                    one.sections.learn(one.systematic.serial_task, outcome)
                one.schedules += 1
                self._schedules += 1
                yield outcome
            if (not one.sections.places and not one.systematic.met) or allowed <= SERIAL:
                return

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
        """Whether the unchanged code shows the error too: under the same choices, as far as they fit, or others. What
        it shows kills no further program of the same operations."""
        identity = failure_identity(failure)
        program, again = self.opened.program(one.scenario), self._tried(one.scenario, "")
        setting = ExecutionConfig(mutant.hot, seed=self.seed)
        many = min(max(CONTROL, 3 * one.schedules), MOST_CONTROL)
        follow = ReplayByOperation(choices)
        follow.begin(0)
        alike = self._run(program, follow, setting)
        for outcome in itertools.chain([alike], self._outcomes(again, program, many, setting)):
            if identity in map(failure_identity, outcome.failures):
                self._innocent.add((identity, frozenset(_names(one.scenario))))
                return True
        return False


def _errors_of(outcome: Outcome) -> list[Failure]:
    return [one for one in outcome.failures if one.severity == "error" and one.kind not in ADVICE]


def _worth(one: _Tried) -> tuple[bool, bool, int]:
    """What is tried first: where the method changes what a section of another task touches, or else meets it at all;
    of these the programs with the fewest places, which are soon done."""
    places = one.sections.places
    return not (isinstance(one.sections, SectionSweep) and one.sections.changes), not places, places


def _next_turn(one: _Tried) -> tuple[int, bool, bool, int]:
    """Whose turn is next: every program has its first before any has a second."""
    return one.turns, *_worth(one)


def _chunks(scenarios: Iterator[Scenario]) -> Iterator[list[Scenario]]:
    while chunk := list(itertools.islice(scenarios, CHUNK)):
        yield chunk


def _names(scenario: Scenario) -> list[str]:
    """Of all its operations, task by task."""
    return [one.name for task in scenario.content.tasks for one in task]
