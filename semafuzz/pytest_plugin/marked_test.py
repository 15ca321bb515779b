"""A test as a program: its function with its fixtures, executed again and again.

pytest sets the fixtures up once, before the search. Each execution gets the same
objects; of them, only primitives that are given directly or held by what is given
(``Event``, ``Condition``, queues) are put back in between.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import linecache
import re
import textwrap
import unittest
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from semafuzz.decorator import ASYNC
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.install.adoption import COMPOSITES
from semafuzz.harness.kernel.outcome import Failure, Model, Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.imported_modules import first_party_of
from semafuzz.harness.runs.module_state import runs_trio
from semafuzz.harness.runs.program import FunctionProgram, Program
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.traces.choices import RecordedChoice
from semafuzz.harness.traces.schema import Function, Value
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.pytest_plugin.assertions import preparation, unrecorded
from semafuzz.pytest_plugin.outcomes import Inconclusive

_ENDINGS = (pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception, unittest.SkipTest)
"""What a test raises to end as something else than passed or failed."""
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")


class SharedState(Inconclusive):
    """What the test changes outlives an execution, and changes what comes next."""


class MarkedTest:
    """One test item: its program, and what a trace says of it.

    ``thorough``: how closely it is watched, the first-party modules that it uses included; traces of
    formats 1 and 2 were not made so. ``alone``: it could be run without pytest, as a function without arguments.
    """

    def __init__(
        self,
        item: pytest.Function,
        test: str,
        instrument: Sequence[str],
        configuration: Mapping[str, Value],
        *,
        thorough: bool = True,
    ) -> None:
        self._thorough = thorough
        self.item = item
        self.test = test
        self.module: ModuleType = item.module
        linecache.checkcache(str(item.path))  # the file may have changed in a process that runs several sessions
        names = item._fixtureinfo.argnames
        self._holder = ModuleType("fixture")
        vars(self._holder).update(_with_parts({name: item.funcargs[name] for name in names}))
        named = [_imported(name, test) for name in instrument if name != self.module.__name__]
        own = first_party_of(self.module) if thorough else [self.module]
        self._modules = list(dict.fromkeys([*own, *named]))
        self.alone = item.cls is None and not _fixtures_of(item)
        function = item.originalname if item.cls is None else item.obj.__qualname__
        source = item.path.read_text(encoding="utf-8")
        digest = hashlib.sha256(source.encode()).hexdigest()
        self.identity = Function(item.path.name, function[:200], digest, tuple(instrument))
        self.program = TestProgram(test, self._inner_program(configuration), self._modules, names)

    def _inner_program(self, configuration: Mapping[str, Value]) -> Program:
        """What runs the test: the engine of threads, or that of trio."""
        function = self.item.obj
        if inspect.iscoroutinefunction(function) or hasattr(function, ASYNC):
            body: Callable[[], Awaitable[object]] = self._await
        elif _runs_trio(self.module, function):
            from semafuzz.harness.trio_engine.hosted import hosted

            body = hosted(self._call)
        elif any(configuration.get(name) for name in ("cancellations", "patient")):
            raise Inconclusive(f"{self.test}: cancellations and patient go with tests that run trio; leave them out")
        else:
            return FunctionProgram(self._call, self.test, self._modules)
        from semafuzz.harness.trio_engine.choosing import TrioChoices
        from semafuzz.harness.trio_engine.program import TrioProgram

        program = TrioProgram(body, self.test, self._modules)
        TrioChoices.of(configuration).settle(program, self.test)
        return program

    @property
    def path(self) -> Path:
        """The file of the test."""
        return self.item.path

    def _call(self) -> object:
        given = vars(self._holder)
        try:
            return self.item.obj(**{name: given[name] for name in self.item._fixtureinfo.argnames})
        except _ENDINGS as ending:
            self.program.ending = ending
            return None

    async def _await(self) -> object:
        given = vars(self._holder)
        try:
            return await self.item.obj(**{name: given[name] for name in self.item._fixtureinfo.argnames})
        except _ENDINGS as ending:
            self.program.ending = ending
        except BaseExceptionGroup as group:
            # A task of the test may end it, too.
            endings, rest = group.split(_ENDINGS)
            if endings is None or rest is not None:
                raise
            self.program.ending = _first_of(endings)
        return None

    def model(self, asked: Model) -> Model:
        """Under which model it runs: the one that it has of its own, or what was asked for."""
        return self.program.model or asked

    @contextmanager
    def laboratory(self, model: Model, stall: float) -> Iterator[ControlledSession]:
        """Put up what its executions need."""
        with ExitStack() as stack:
            stack.enter_context(unrecorded(self.module))
            laboratory = controlled_session(
                self._modules,
                instrument=model != "eventlet",
                stall=stall,
                holders=[self._holder],
                prepare=preparation(self.module),
                thorough=self._thorough,
                roots=list(vars(self._holder).values()),
            )
            try:
                opened = stack.enter_context(laboratory)
            except UsageError as error:
                raise Inconclusive(f"{self.test}: {error}") from None
            yield opened


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first_of(found) if isinstance(found, BaseExceptionGroup) else found


def _with_parts(arguments: dict[str, object]) -> dict[str, object]:
    """The arguments, and the primitives that they hold, by name."""
    parts = {
        f"{name}.{key}": value
        for name, argument in arguments.items()
        for key, value in (getattr(argument, "__dict__", None) or {}).items()
        if isinstance(value, COMPOSITES)
    }
    return {**arguments, **parts}


def _fixtures_of(item: pytest.Function) -> list[str]:
    """The fixtures that the test has, those that it did not ask for included."""
    return [name for name in item.fixturenames if not name.startswith("__interleave")]


def _imported(name: str, test: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise Inconclusive(
            f"{test}: the module {name!r} to be instrumented cannot be imported ({error}); give a dotted name that can"
        ) from None


def _runs_trio(module: ModuleType, function: Callable[..., object]) -> bool:
    """Whether a test that is no async function calls ``trio.run``, itself or by functions of its module, by what the
    source says."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        whole = ast.parse(inspect.getsource(module)).body
    except (OSError, TypeError, SyntaxError):
        return False
    imports = [node for node in whole if isinstance(node, (ast.Import, ast.ImportFrom))]
    helpers = {node.name: node for node in whole if isinstance(node, ast.FunctionDef)}
    reached: dict[str, ast.stmt] = {}
    left: list[ast.stmt] = list(tree.body)
    while left:
        used = {node.id for node in ast.walk(left.pop()) if isinstance(node, ast.Name)}
        new = {name: helpers[name] for name in used & helpers.keys() - reached.keys()}
        reached |= new
        left += new.values()
    return runs_trio(ast.Module([*imports, *tree.body, *reached.values()], []))


class TestProgram(Program):
    """Calls the test as the main thread, or as the main task of a run of trio. ``ending``: what it raised to end as
    something else than passed or failed."""

    __test__ = False

    def __init__(self, name: str, inner: Program, modules: Sequence[ModuleType], fixtures: Sequence[str]) -> None:
        self.name = name
        self.begin: Callable[[], None] = lambda: None
        self.tasks = 0
        self._fixtures = fixtures
        self.under_test = modules
        self._inner = inner
        self.model = inner.model
        self.shrink_budget = inner.shrink_budget
        self.ending: BaseException | None = None
        self._first: tuple[list[RecordedChoice], set[tuple[str, ...]]] | None = None
        self._compared: set[tuple[str, ...]] = set()

    def execute(self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None) -> Outcome:
        """Run once. Raises what the test raised to skip itself or to end the session,
        and SharedState."""
        self.begin()
        outcome = self._inner.execute(scheduler, setting, forced)
        self.tasks = max(self.tasks, len(outcome.tasks))
        ending, self.ending = self.ending, None
        if ending is not None:
            raise ending
        outcome.failures[:] = map(_without_addresses, outcome.failures)
        if forced is None and not outcome.uncontrolled:
            self._compare(outcome, setting)
        return outcome

    def session(self) -> AbstractContextManager[object]:
        """What the engine needs around its executions."""
        return self._inner.session()

    def _compare(self, outcome: Outcome, setting: ExecutionConfig) -> None:
        """Run the first schedule again when a failure is new.

        It did not show the failure then. If it does now, the schedule is not the cause.
        """
        shown = {failure_identity(failure) for failure in outcome.failures}
        if self._first is None:
            self._first = (choices_of(outcome), shown)
        choices, known = self._first
        new = shown - known - self._compared
        if not new:
            return
        self._compared |= new
        again = replay(self, choices, setting)
        for failure in again.outcome.failures:
            if again.diverged is None and failure_identity(failure) in new:
                held = f"the fixtures {', '.join(self._fixtures)} are set up" if self._fixtures else "its module is"
                raise SharedState(
                    f"{self.name}: its first schedule passed, and failed when it was run again later "
                    f"({failure.message.splitlines()[0]}). What the test changes outlives an execution: {held} once "
                    "for all of them. Make that state inside the test, or let the fixture give a function that makes it"
                )


def _without_addresses(failure: Failure) -> Failure:
    """Assertions name objects by their address, which is another in every process."""
    message = _ADDRESS.sub("at 0x...", failure.message)
    return replace(failure, message=message, detail=tuple(_ADDRESS.sub("at 0x...", line) for line in failure.detail))
