"""State machines whose rules start operations as tasks and step them.

A machine is an ordinary ``RuleBasedStateMachine`` of Hypothesis: bundles, preconditions
and invariants work. What it adds: :meth:`ScheduledMachine.start` makes a task of a
call, and built-in rules let one task go on to its next scheduling point, let it
go on to its end, or let virtual time pass. So Hypothesis draws the program
and its interleaving together, and shrinks both.

Between two rules nothing of the program runs. Rules draw a few steps each,
not one for every scheduling point, so that an example stays far below the
number of choices that Hypothesis can hold.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from semafuzz.harness.errors import SemafuzzError, UsageError
from semafuzz.harness.kernel.outcome import Failure, Model
from semafuzz.harness.runs.imported_modules import first_party_of
from semafuzz.harness.runs.program import invariant_failure
from semafuzz.harness.runs.stepping import SteppedExecution
from semafuzz.harness.schedulers.replay.by_owner import DRIVER
from semafuzz.reports.run_view.turns import turns
from semafuzz.strategies.machines.further_schedules import RuleCall, explore, note_calls
from semafuzz.strategies.machines.session import Found, Session, TestCaseOf, open_session, the_session

POINTS = (*range(1, 11), 13, 17, 21, 34, 55)
"""How many scheduling points a step passes: all near ones, since a window may be one point wide, and far ones."""
RESERVED = frozenset({"open", "start", "call", "step", "finish", "advance_time", "settle", "look", "fail", "tell"})
"""What a rule cannot be called: machines have a method of that name."""


def _able(machine: Any) -> list[str]:
    """The last started first: choices are drawn by position, and the shrinker can then
    take an earlier task out without changing what the later ones do."""
    tasks = reversed(machine.stepped.tasks)
    return [task.name for task in tasks if not task.done and not task.parked and machine.stepped.enabled(task)]


def able_tasks() -> st.SearchStrategy[str]:
    """The names of the machine's tasks that can go on now."""
    return st.runner().flatmap(lambda machine: st.sampled_from(_able(machine)))


class ScheduledMachine(RuleBasedStateMachine):
    """Base of state machines over tasks that are stepped.

    A subclass names the modules under test in ``modules`` (import names, or the modules; by
    default its own and the first-party modules that it uses), makes its state in an
    ``initialize`` rule or in :meth:`begin`, starts tasks in rules of its own with :meth:`start`,
    and says in :meth:`check` what must hold once every task has ended. An exception that leaves a
    task, a deadlock and a failed check are failures. Run it with ``Machine.TestCase`` or
    :func:`semafuzz.strategies.machines.session.run_machine`.

    ``schedules``: under how many further schedules the program of each example is run, all its rules but those that
    step (:mod:`semafuzz.strategies.machines.further_schedules`).

    Rules, invariants and checks run between two steps. Where they take a lock that a task holds,
    that task goes on first until it has released it.
    """

    modules: ClassVar[str | Sequence[str | ModuleType]] = ()
    model: ClassVar[Model] = "threads"
    schedules: ClassVar[int] = 12
    TestCase: Any = TestCaseOf()

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        for name in note_calls(cls):
            if name in RESERVED or name in vars(RuleBasedStateMachine):
                raise UsageError(
                    f"the rule {cls.__name__}.{name} would hide a method of machines; give it another name"
                )

    def __init__(self) -> None:
        super().__init__()
        self.session: Session = the_session(type(self))
        self.calls: list[RuleCall] = []
        self._failed = False
        self._further = False
        self.go_on_by: Callable[[Any], None] | None = None
        self._new_run()
        self.begin()

    # -------------------------------------------------- for subclasses

    def begin(self) -> None:
        """Make the state; called for every example."""

    def check(self) -> None:
        """Raise AssertionError where the state is wrong; every task has ended."""

    def check_step(self) -> None:
        """Raise AssertionError where something is wrong between two steps."""

    def start(self, function: Callable[..., object], *arguments: object, name: str = "") -> None:
        """Make a task of a call. It does not begin before it is stepped."""
        number = len(self.stepped.tasks)
        label = name or getattr(function, "__name__", "call")
        self.stepped.start(lambda: function(*arguments), f"{label}-{number}")

    def call(self, function: Callable[..., object], *arguments: object) -> object:
        """Make a call as a task that runs alone, to its end; what it returns."""
        task = self.stepped.start(lambda: function(*arguments), f"call-{len(self.stepped.tasks)}")
        self.stepped.finish(task)
        self.look()
        return task.result

    @classmethod
    def open(cls, folder: Any = None) -> AbstractContextManager[Session]:
        """What machines of this class need while they run; see ``machine_session``."""
        named = [cls.modules] if isinstance(cls.modules, str) else cls.modules
        modules = [_module(one) for one in named] or first_party_of(sys.modules[cls.__module__])
        return open_session(cls, modules, folder, model=cls.model)

    def check_invariants(self, *given: Any, **named: Any) -> None:
        """As Hypothesis does; one that fails is told with the interleaving that led to it."""
        try:
            super().check_invariants(*given, **named)
        except (Found, SemafuzzError, HypothesisException):
            raise
        except Exception as error:
            self.fail(invariant_failure(error))

    # ------------------------------------------------------- the rules

    @precondition(lambda self: bool(_able(self)))
    @rule(task=able_tasks(), points=st.sampled_from(POINTS))
    def step(self, task: str, points: int) -> None:
        """Let a task pass that many scheduling points."""
        self.stepped.step(self._task(task), points)
        self.look()

    @precondition(lambda self: bool(_able(self)))
    @rule(task=able_tasks())
    def finish(self, task: str) -> None:
        """Let a task go on until it ends, or has to wait for another."""
        self.stepped.finish(self._task(task))
        self.look()

    @precondition(lambda self: any(task.timed for task in self.stepped.tasks))
    @rule(seconds=st.sampled_from([1, 60, 3600]))
    def advance_time(self, seconds: int) -> None:
        """Let virtual time pass."""
        self.stepped.advance(seconds)
        self.look()

    def teardown(self) -> None:
        """Let everything end, then check."""
        if self._failed:
            return
        try:
            if self.go_on_by is not None:
                self.go_on_by(self)
            self.settle()
            self.explore_further()
        finally:
            self.stepped.close()

    # ----------------------------------------------------- what they share

    def explore_further(self) -> None:
        """Fail where the program of this example fails under another schedule."""
        if self._further or self.schedules < 1:
            return
        self.session.count_program(self.calls)
        failure = explore(self.another, self.calls, self.schedules, Found)
        if failure is not None:
            self._failed = True
            raise failure

    def another(self) -> ScheduledMachine:
        """A new machine of this class, for the same program under another schedule."""
        made = type(self)()
        made._further = True
        self.session.examples -= 1
        return made

    def settle(self) -> None:
        """Run every task to its end, and check the outcome."""
        self.stepped.settle()
        self.look()
        self.session.count_run(self.stepped.close())
        try:
            self.check()
        except (Found, SemafuzzError, HypothesisException):
            raise
        except Exception as error:
            self.fail(invariant_failure(error))

    def look(self) -> None:
        """Fail where a task has failed, or where :meth:`check_step` says so."""
        outcome = self.stepped.outcome
        if outcome.uncontrolled:
            self._failed = True
            self.stepped.close()
            raise UsageError(f"the program escaped control: {outcome.uncontrolled}")
        for failure in outcome.failures:
            if failure.severity == "error" and not self.is_passed_over(failure):
                self.fail(failure)
        try:
            self.check_step()
        except (Found, SemafuzzError, HypothesisException):
            raise
        except Exception as error:
            self.fail(invariant_failure(error))

    def is_passed_over(self, failure: Failure) -> bool:
        """Whether to go on past a failure of a task."""
        return False

    def fail(self, failure: Failure) -> None:
        """End this example with a failure, told as a program and its interleaving."""
        self._failed = True
        outcome = self.stepped.close()
        lines = [f"{failure.kind}: {failure.message}", *self.tell()]
        if self._further:
            lines.append("under this schedule of the rules alone (not that of the steps listed below):")
        self.session.failed_calls = list(self.calls)
        lines += [f"  {line}" for line in turns(outcome, without=DRIVER)]
        raise self.session.found(failure, "\n".join(lines))

    def tell(self) -> list[str]:
        """What ran, in words, before the interleaving."""
        return []

    def _new_run(self) -> None:
        self.stepped = SteppedExecution(self.session.setting)

    def _task(self, name: str) -> Any:
        return next(task for task in self.stepped.tasks if task.name == name)


def _module(name: str | ModuleType) -> ModuleType:
    if isinstance(name, ModuleType):
        return name
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(f"module {name!r} cannot be imported ({error}); give an import name that can") from None
