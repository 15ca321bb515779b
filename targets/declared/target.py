"""Declared classes as targets: opened, staged and judged."""

from __future__ import annotations

import hashlib
import importlib
import linecache
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from inspect import getgeneratorstate, isgenerator
from types import FrameType, ModuleType
from typing import Any

from semafuzz.harness.detectors.discipline.policy import Guard, LockPolicy
from semafuzz.harness.errors import CodeError, UsageError
from semafuzz.harness.instrument.apply import module_source
from semafuzz.harness.instrument.method_calls import visible_calls
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.program import Program
from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets.declared.api import DeclaredTarget, Violation
from semafuzz.targets.model.configuration import check_configuration
from semafuzz.targets.model.legality import check_content
from semafuzz.targets.model.protocol import FaultInfo, OpenTarget, OperationInfo, OptionInfo, Plain, Stage, Target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.solo_run import run_solo
from semafuzz.targets.model.staged_program import StagedProgram

DECLARED = "declared"
"""What traces call a target that is not in the registry."""


class Declared(Target):
    """A declaration as a target. ``name``: its registry key. ``release``: what a
    trace says of which one it is. ``versions``: digests of what makes it up."""

    def __init__(
        self,
        declaration: DeclaredTarget,
        *,
        name: str = DECLARED,
        release: str = "",
        versions: Mapping[str, str] | None = None,
    ) -> None:
        kind = type(declaration)
        if not kind.table:
            raise UsageError(f"{kind.__name__} has no operation; mark its methods with @operation")
        self.declaration = declaration
        self.name = name
        self.release = release or kind.__name__
        self.versions = dict(versions or {})
        self.summary = (kind.__doc__ or kind.__name__).strip().partition("\n")[0]

    @property
    def policy(self) -> LockPolicy | None:
        """Which lock guards what, where the declaration says."""
        return self.declaration.policy

    @property
    def verification(self) -> Mapping[str, Value]:
        """Options under which a finding has to show again before it is reported."""
        return self.declaration.verification

    def releases(self) -> list[tuple[str, str]]:
        """There is one, and it is here."""
        return [(self.release, "built in")]

    def operations(self) -> Sequence[OperationInfo]:
        """The operation table."""
        return list(self.declaration.table.values())

    def roles(self) -> Sequence[str]:
        """The roles in which an instance can start."""
        return self.declaration.roles

    def setup_arguments(self) -> Mapping[str, Sequence[Plain]]:
        """What else describes an instance."""
        return self.declaration.instance_arguments

    def faults(self) -> Sequence[FaultInfo]:
        """What can go wrong around the code under test."""
        return self.declaration.faults

    def options(self) -> Sequence[OptionInfo]:
        """Configuration that is worth varying."""
        return self.declaration.options

    @contextmanager
    def open(self, release: str = "") -> Iterator[OpenTarget]:
        """Import the modules under test; UsageError where that fails."""
        if release and release != self.release:
            raise UsageError(f"target {self.release} has no release {release!r}; leave --release out")
        modules = [_module(name) for name in self._names()]
        with visible_calls(self.policy.guarded) if self.policy is not None else nullcontext():
            yield _OpenDeclared(self, modules, [_module(name) for name in self.declaration.surroundings])

    def _names(self) -> Sequence[str]:
        if isinstance(self.declaration.modules, str):
            given = self.declaration.modules
            raise UsageError(f"modules of {type(self.declaration).__name__} is a text; write modules = ({given!r},)")
        return self.declaration.modules or (type(self.declaration).__module__,)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise CodeError(
            f"module {name!r} under test cannot be imported ({type(error).__name__}: {error}); "
            "put it beside the file, or install it"
        ) from error


class _OpenDeclared:
    """The modules imported; a world is made for every execution."""

    sparing = False
    thorough = False

    def __init__(self, target: Declared, modules: Sequence[ModuleType], around: Sequence[ModuleType]) -> None:
        self.target = target
        self.around = around
        self.callers: Sequence[ModuleType] = ()
        self.release = target.release
        self.modules = modules
        digests = {one.__name__: hashlib.sha256(module_source(one)[0].encode()).hexdigest() for one in modules}
        self.libraries: Mapping[str, str] = {**digests, **target.versions}
        self.policy = None if target.policy is None else replace(target.policy, guards=self._guards)
        self._in_use: DeclaredStage | None = None

    def _guards(self) -> Sequence[Guard]:
        stage = self._in_use
        return () if stage is None else tuple(self.target.declaration.guards(stage.world))

    def _use(self, stage: DeclaredStage) -> None:
        self._in_use = stage

    def stage(self, setup: Sequence[Operation], configuration: Mapping[str, Value]) -> Stage:
        """The start state that ``setup`` makes."""
        check_configuration(self.target.options(), configuration)
        return DeclaredStage(self.target.declaration, setup, configuration, self._use)

    def program(self, scenario: Scenario) -> Program:
        """The program of a scenario."""
        check_content(scenario.content, self.target)
        stage = self.stage(scenario.content.setup, scenario.configuration)
        faults = {info.name: info for info in self.target.faults()}
        program = StagedProgram(scenario, stage, self.modules, faults)
        program.stands_for_world = frozenset({type(self.target.declaration).__module__})
        return program


class DeclaredStage:
    """A world made anew for every execution.

    ``start``, ``set_up`` and ``check`` run under control too, as the only task: time,
    random numbers and identifiers are the same every time, and what blocks is told
    instead of freezing the run. Threads that ``start`` begins have ended, or are
    ended, before the operations begin.
    """

    unanswered = ""

    def __init__(
        self,
        declaration: DeclaredTarget,
        setup: Sequence[Operation],
        configuration: Mapping[str, Value],
        use: Callable[[DeclaredStage], None],
    ) -> None:
        self.refusals = declaration.refusals
        self._use = use
        self.world: Any = None
        self._declaration = declaration
        self._setup: list[dict[str, Any]] = [dict(one.arguments) for one in setup]
        self._configuration = {option.name: option.legal[0] for option in declaration.options} | dict(configuration)
        self._perform: dict[str, Callable[..., object]] = {
            name: getattr(declaration, name) for name in declaration.table
        }

    def restore(self) -> None:
        """Make the world anew; UsageError where the declaration cannot."""
        self._use(self)
        failures = run_solo(self._start)
        if failures:
            name, first = type(self._declaration).__name__, failures[0]
            place = f" at {SITES[first.sites[0]].place()}" if first.sites else ""
            raise UsageError(f"{name} makes no world under {self._configuration}: {first.message}{place}")

    def _start(self) -> None:
        self.world = self._declaration.start(dict(self._configuration))
        for arguments in self._setup:
            self._declaration.set_up(self.world, **arguments)

    def perform(self, operation: Operation) -> object:
        """Do one operation, in the running task."""
        return self._perform[operation.name](self.world, **operation.arguments)

    def goes_on(self, operation: Operation) -> bool:
        """Nobody but the declaration knows what a failed operation has left."""
        return False

    def judge(self, tasks: Sequence[Sequence[Operation]], faults: Sequence[Operation]) -> list[Failure]:
        """What the declaration's check says, one failure for each name."""
        found: list[tuple[Violation, int]] = []
        failures = run_solo(lambda: found.extend(self._check()))
        names = dict.fromkeys((violation.name, violation.severity) for violation, _ in found)
        return [_raised(failure) for failure in failures] + [
            _failure([one for one in found if (one[0].name, one[0].severity) == name]) for name in names
        ]

    def _check(self) -> Iterator[tuple[Violation, int]]:
        said = self._declaration.check(self.world)
        for one in said or ():
            frame = said.gi_frame if isgenerator(said) and getgeneratorstate(said) != "GEN_CLOSED" else None
            site = _site(frame) if frame is not None else 0
            yield (one if isinstance(one, Violation) else Violation(_statement(site) or "check", str(one))), site


def _site(frame: FrameType) -> int:
    module = str(frame.f_globals.get("__name__", ""))
    return SITES.of_frame(frame.f_code, frame.f_lasti, frame.f_lineno, module, op.END)


def _statement(site: int) -> str:
    """The line of source at a site: it tells one condition from the next, and
    keeps its words when lines above it come or go."""
    return linecache.getline(SITES[site].filename, SITES[site].line).strip()[:160]


def _raised(failure: Failure) -> Failure:
    """What ended the check, as a violation of what its line says."""
    statement = _statement(failure.sites[0]) if failure.sites else ""
    message = failure.message
    if message == "AssertionError" and statement:
        message = f"{statement} does not hold"
    return Failure("invariant", message, "", failure.sites, statement or failure.error_type, failure.detail)


def _failure(found: Sequence[tuple[Violation, int]]) -> Failure:
    name, severity = found[0][0].name[:200], found[0][0].severity
    texts = tuple(one.text for one, _ in found)
    sites = tuple(dict.fromkeys(site for _, site in found if site))
    return Failure("invariant", "; ".join(texts), "", sites, name, texts, severity)
