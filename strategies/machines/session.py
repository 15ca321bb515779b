"""Session of a state machine while Hypothesis runs it: control, and a memory.

Control is installed and the modules are instrumented once for a whole run of
Hypothesis. The scheduling points stay as they are while it runs: Hypothesis runs
an example again to shrink it and has to get the same steps.
"""

from __future__ import annotations

import os
import sys
import unittest
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, Phase
from hypothesis import settings as Settings  # noqa: N812
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.errors import CannotJudge, UsageError
from semafuzz.harness.files.traces_folder import DEFAULT
from semafuzz.harness.kernel.outcome import Failure, Model, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.strategies.generate.example_database import tolerant
from semafuzz.strategies.machines.further_schedules import RuleCall, fails_serially, program_key, smallest
from semafuzz.targets.model.catalogue import Defect
from semafuzz.targets.model.protocol import Stage
from semafuzz.targets.model.scenario import Scenario

PATIENCE = 5.0
"""Seconds in which Hypothesis may look for a smaller example of what a target's machine
found; then the smallest one is made smaller still without it, which takes as long at most."""

OUT = "SEMAFUZZ_OUT"
"""The variable in which the pytest plugin leaves the folder for traces."""

THOROUGH = 40
"""Schedules of a program that is made small here."""
STEPS = 15
"""Rules of an example, where nothing else is asked for: many small examples find more
than few large ones, and shrink sooner."""

Identity = tuple[str, ...]
Size = tuple[int | bytes, ...]


class EnoughError(BaseException):
    """Ends Hypothesis's run; not an Exception, so that Hypothesis lets it through."""


class Found(AssertionError):
    """A machine found something. There is one subclass for each identity of a
    failure, because Hypothesis tells defects apart by the type of the exception
    and would otherwise shrink one defect into another."""

    identity: Identity = ()


@dataclass
class Session:
    """The state of one run of Hypothesis over one machine class.

    ``setting``: of what is stepped, with the same scheduling points all the time.
    ``searching``: of runs of whole programs, which teach further points: what comes of
    a program is remembered, so Hypothesis does not notice. ``defects``: known ones, past which the machine goes on.
    ``passed_over``: how often a defect of the target's
    catalogue was met, by its name, where the machine goes on past these. ``failed_calls``: the rules of what failed
    last. ``programs``, ``schedules``, ``orders``, ``tasks``: what the run covered: programs by their rules, runs of
    them, orders in which the events of these came, tasks of all runs.
    """

    machine: type
    laboratory: ControlledSession
    setting: ExecutionConfig
    searching: ExecutionConfig
    folder: Path | None = None
    opened: Any = None
    examples: int = 0
    ended: bool = False
    findings: list[Finding] = field(default_factory=list)
    defects: Sequence[Defect] = ()
    passed_over: Counter[str] = field(default_factory=Counter)
    conclude: Callable[[Identity], Sequence[str]] = field(default=lambda identity: ())
    keep: Callable[..., Found] = field(default=lambda *_: Found())
    failed_calls: Sequence[RuleCall] = ()
    programs: set[str] = field(default_factory=set)
    schedules: int = 0
    orders: set[int] = field(default_factory=set)
    tasks: int = 0
    _discipline: LockDiscipline | None = None
    _stages: dict[str, Stage] = field(default_factory=dict)
    _explored: dict[str, Any] = field(default_factory=dict)
    _enough: float | None = None
    _smallest: tuple[Size, Found] | None = None
    _last: Found | None = None
    _kinds: dict[Identity, type[Found]] = field(default_factory=dict)

    def count_program(self, calls: Sequence[RuleCall]) -> None:
        """The program of one example."""
        self.programs.add(program_key(calls))

    def count_run(self, outcome: Outcome) -> None:
        """A run that came to its end."""
        self.schedules += 1
        self.tasks += len(outcome.tasks) - 1
        if len(self.orders) < 100_000:
            self.orders.add(hash(tuple([(event[1].index, event[4]) for event in outcome.events])))

    def covered(self) -> str:
        """What a run without a finding looked at, in words."""
        return (
            f"{len(self.programs):,} programs of {self.examples:,} examples, {self.schedules:,} schedules "
            f"({len(self.orders):,} distinct orders); none was exhausted, so that a pass proves nothing"
        )

    def stage(self, setup: tuple[Operation, ...], configuration: Mapping[str, Value]) -> Stage:
        """The target's start state; kept, since Hypothesis asks for few again and again."""
        key = repr((setup, sorted(configuration.items())))
        found = self._stages.get(key)
        if found is None:
            if len(self._stages) > 200:
                self._stages.clear()
            found = self._stages[key] = self.opened.stage(setup, configuration)
        return found

    def explored(self, scenario: Scenario, explore: Callable[[Scenario], Any]) -> Any:
        """What exploring a scenario came to; explored once."""
        key = repr(scenario)
        if key not in self._explored:
            self._explored[key] = explore(scenario)
        return self._explored[key]

    def watch(self, discipline: LockDiscipline) -> None:
        """Have every execution watched, of what is stepped and of whole programs."""
        self._discipline = discipline
        self.setting.detectors = self.searching.detectors = (discipline,)

    def broken(self, outcome: Outcome) -> list[Failure]:
        """Where the execution that began last broke the lock discipline so far."""
        if self._discipline is None or not self._discipline.noticed():
            return []
        return self._discipline.judge(outcome)

    def go_on(self) -> None:
        """Raise EnoughError where shrinking has had its time."""
        if self._enough is not None and perf_counter() > self._enough:
            self.ended = True
            raise EnoughError

    def unreported(self) -> Found | None:
        """What was found last. Hypothesis discards it where the example was cut short while it ended."""
        return self._last

    def smallest(self) -> Found:
        """The smallest that was found; to be asked for after EnoughError only."""
        assert self._smallest is not None
        return self._smallest[1]

    def found(self, failure: Failure, text: str, size: Size | None = None) -> Found:
        """The exception that stands for this failure. ``size``: of what failed, where
        that can be made smaller without Hypothesis, which then has only so much time."""
        if size is not None and self._enough is None:
            self._enough = perf_counter() + PATIENCE
        identity = failure_identity(failure)
        kind = self._kinds.get(identity)
        if kind is None:
            kind = self._kinds[identity] = type(f"Found{len(self._kinds) or ''}", (Found,), {"identity": identity})
        made = self._last = kind(text)
        if size is not None and (self._smallest is None or size < self._smallest[0]):
            self._smallest = size, made
        return made


_sessions: list[Session] = []


def the_session(machine: type) -> Session:
    """The session in which ``machine`` runs now."""
    if not _sessions:
        raise UsageError(
            f"{machine.__name__} needs control while it runs: use {machine.__name__}.TestCase, or "
            f"semafuzz.run_machine({machine.__name__})"
        )
    session = _sessions[-1]
    session.go_on()
    session.examples += 1
    session.laboratory.control.between_executions()
    return session


@contextmanager
def open_session(
    machine: type,
    modules: Sequence[ModuleType],
    folder: Path | None = None,
    *,
    model: Model = "threads",
    every_access: bool = True,
) -> Iterator[Session]:
    """Install control for machines of one class. ``every_access``: every access to
    data in the modules is a scheduling point, since nothing was learned before.

    Raises CannotJudge where something is not under control.
    """
    with controlled_session(modules, instrument=model == "threads") as laboratory:
        if laboratory.uncontrolled_reason:
            raise CannotJudge(laboratory.uncontrolled_reason)
        size = max(1 << 16, 2 * len(SITES))
        hot = bytearray(b"\1" * size) if every_access else bytearray(size)
        setting = ExecutionConfig(hot, model)
        session = Session(machine, laboratory, setting, replace(setting, hot=bytearray(hot)), folder)
        _sessions.append(session)
        try:
            yield session
        finally:
            _sessions.remove(session)


def default_folder() -> Path:
    """Where traces go: that of ``--interleave-out`` under pytest, ``.semafuzz`` otherwise."""
    return Path(os.environ.get(OUT) or DEFAULT)


def run_machine(machine: Any, settings: Settings | None = None, folder: Path | None = None) -> None:
    """Run a state machine; raises :class:`Found` where it fails.

    ``settings``: Hypothesis's; those of the loaded profile where not given. ``folder``:
    where traces go, for machines over targets; :func:`default_folder` where not given.
    """
    given = settings or Settings(stateful_step_count=STEPS)
    chosen = Settings(
        given,
        deadline=None,
        database=tolerant(given.database),
        suppress_health_check=list(HealthCheck),
        # One defect at a time is shrunk and told; traces of others are kept.
        report_multiple_bugs=False,
        # What it explains says nothing about schedules, and it traces every line.
        phases=[phase for phase in given.phases if phase is not Phase.explain],
    )
    with machine.open(folder or default_folder()) as session:
        try:
            run_state_machine_as_test(machine, settings=chosen)
            discarded = session.unreported()
            if discarded is not None:
                raise discarded
            _tell_covered(machine, session)
        except Found as error:
            if session.failed_calls:
                _tell_fewest_rules(machine, session, error)
            _annotate(session, error)
            raise
        except (EnoughError, HypothesisException):
            # Hypothesis may take a run that was cut short for one that is not deterministic.
            if not session.ended:
                raise
            smallest = session.smallest()
            _annotate(session, smallest)
            raise smallest from None
        finally:
            if session.passed_over:
                met = ", ".join(f"{name} ({count})" for name, count in sorted(session.passed_over.items()))
                print(f"semafuzz: {machine.__name__} went on past what is known: {met}", file=sys.stderr)


def _tell_fewest_rules(machine: Any, session: Session, error: Found) -> None:
    """Hypothesis keeps steps where they have helped. The rules that are needed under some schedule, without any
    step, are told before what it shows, with their interleaving, and alone where it has discarded the example."""

    def another() -> Any:
        made = machine()
        made._further = True
        return made

    calls, failure = smallest(another, session.failed_calls, THOROUGH, Found)
    if type(failure) is type(error):
        error.args = failure.args
        told = ["Fewest rules that fail so, without steps:", *(f"  {call}" for call in calls)]
        if fails_serially(another, calls, Found):
            told.append(
                "They fail one after the other as well, so that no switch is needed. Where they should not, something "
                "outlives an example, such as a variable of a module: make it anew in begin()."
            )
        error.__notes__ = [*told, *getattr(error, "__notes__", [])]


def _tell_covered(machine: Any, session: Session) -> None:
    """Say what a run that found nothing has looked at: pytest's plugin takes it from here, others see it."""
    line = session.covered()
    if not session.tasks:
        line = "no task was ever started, so that nothing was looked at; start some with self.start(...) in a rule"
    covered_machines.append((machine.__name__, line))
    print(f"semafuzz: {machine.__name__}: {line}", file=sys.stderr)


covered_machines: list[tuple[str, str]] = []
"""Machines that found nothing in this process, with what they covered."""


def _annotate(session: Session, error: Found) -> None:
    for line in session.conclude(error.identity):
        error.add_note(line)


class TestCaseOf:
    """``Machine.TestCase``: a ``unittest.TestCase`` that runs the machine under
    control, for pytest, unittest and stestr."""

    __test__ = False

    def __get__(self, instance: object, owner: Any) -> type[unittest.TestCase]:
        made: type[unittest.TestCase] | None = vars(owner).get("_test_case")
        if made is None:

            class StateMachineTestCase(unittest.TestCase):
                settings: Settings | None = None

                def runTest(self) -> None:
                    run_machine(owner, self.settings)

            made = StateMachineTestCase
            made.__name__ = made.__qualname__ = f"{owner.__name__}.TestCase"
            made.__module__ = owner.__module__
            owner._test_case = made
        return made
