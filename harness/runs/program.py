"""Programs: what an execution runs.

A program is a function that starts threads itself, or a set of tasks on a state
that is made anew for every execution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Generic, TypeVar

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.doubles import hashes
from semafuzz.harness.kernel.doubles.randomness import import_seed
from semafuzz.harness.kernel.outcome import Failure, Model, Outcome
from semafuzz.harness.runs import program_output
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.imported_modules import ImportedModules
from semafuzz.harness.schedulers.protocol import Scheduler

State = TypeVar("State")


class Program:
    """Anything that can be executed again and again from the same start.

    ``under_test``: the modules to instrument, whose primitives are adopted. ``model``: the
    model that it has of its own, whatever is asked for; None for most. ``shrink_budget``: the
    executions that making one of its failing runs small may take, where an execution costs
    many times the usual. ``imported``: the modules that it imports while it runs, where these
    are looked into as they come. ``stands_for_world``: modules that surround the code under test and are
    none of it. ``finalisers``: by what its code would notice when an object is freed.
    """

    name: str
    under_test: Sequence[ModuleType] = ()
    model: Model | None = None
    shrink_budget: int | None = None
    imported: ImportedModules | None = None
    finalisers: Sequence[str] = ()
    stands_for_world: frozenset[str] = frozenset()

    def modules(self) -> Sequence[ModuleType]:
        """The modules under test."""
        return self.under_test

    def look_into(self, modules: Sequence[ModuleType]) -> None:
        """Have further modules under test, from the next session on."""
        self.under_test = [*self.modules(), *modules]

    def session(self) -> AbstractContextManager[object]:
        """What is to be in place while it is executed again and again."""
        return nullcontext() if self.imported is None else self.imported.importing()

    def execute(self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None) -> Outcome:
        """Run once, from the same start, and judge the outcome."""
        raise NotImplementedError


@dataclass
class FunctionProgram(Program):
    """A function without arguments that uses ``threading``.

    It runs as the main thread: what it raises is a failure, and the execution
    goes on until every thread that is not a daemon has ended. ``refresh`` makes
    the function anew (from a fresh module) before every execution.
    """

    function: Callable[[], object]
    name: str
    under_test: Sequence[ModuleType] = ()
    refresh: Callable[[], Callable[[], object]] | None = None

    def execute(self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None) -> Outcome:
        """Run once."""
        function = self.refresh() if self.refresh is not None else self.function
        execution = setting.execution(scheduler, forced)
        if self.finalisers and setting.thorough:
            execution.hold_weakly()
            execution.limit("finaliser", ", ".join(self.finalisers), 0)
        main = execution.add_task(function, "MainThread")
        return execution.run(inherit=main)


@dataclass
class TaskProgram(Program, Generic[State]):
    """Tasks on a common state: no Thread objects, so the least cost per execution.

    ``setup`` makes the state; each of ``tasks`` is called with it in a task of
    its own; ``check`` is called with it when all are done and raises
    (AssertionError or another) where the state is wrong.
    """

    setup: Callable[[], State]
    tasks: Sequence[Callable[[State], object]]
    check: Callable[[State], object] | None = None
    name: str = "program"
    under_test: Sequence[ModuleType] = ()
    task_names: Sequence[str] = field(default_factory=tuple)

    def execute(self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None) -> Outcome:
        """Run once and check the state."""
        state = self.setup()
        execution = setting.execution(scheduler, forced)
        names = self.task_names
        for number, task in enumerate(self.tasks):
            execution.add_task(partial(task, state), names[number] if names else f"task-{number}")
        outcome = execution.run()
        if self.check is not None and not outcome.failures and not outcome.uncontrolled:
            try:
                self.check(state)
            except Exception as error:
                outcome.failures.append(invariant_failure(error))
        return outcome


def execute(
    program: Program, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None
) -> Outcome:
    """Run ``program`` once, from where it started: primitives that modules hold
    are put back first, whether the run is one of the search or of shrinking. The
    detectors of the setting have the last word."""
    current.restore()
    program_output.mend()
    hashes.restart()
    import_seed[0] = setting.seed
    outcome = program.execute(scheduler, setting, forced)
    setting.judge(outcome)
    return outcome


def invariant_failure(error: Exception) -> Failure:
    """A check that failed after the execution."""
    from semafuzz.harness.kernel.task_errors import describe_exception, message_of

    _, sites, name, detail = describe_exception(error)
    return Failure("invariant", message_of(error), "", sites, name, detail)
