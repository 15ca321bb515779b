"""Nova's resource tracker as a target."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from semafuzz.harness.errors import CannotJudge, UsageError
from semafuzz.harness.instrument.method_calls import visible_calls
from semafuzz.harness.runs.program import Program
from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.targets.model.catalogue import Defect, read_catalogue
from semafuzz.targets.model.configuration import check_configuration
from semafuzz.targets.model.protocol import (
    AuditedClass,
    FaultInfo,
    ImpossibleStartError,
    OpenTarget,
    OperationInfo,
    OptionInfo,
    Plain,
    Stage,
    Target,
)
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.boundary.faults import DONE, ELSEWHERE, FAULTS
from semafuzz.targets.nova.configuration import GROUPS, OBJECTS, OPTIONS, WORLD, illegal_values, unknown_options
from semafuzz.targets.nova.releases import environments
from semafuzz.targets.nova.world.flavors import FLAVORS, SIMPLEST_FIRST

if TYPE_CHECKING:
    from semafuzz.harness.detectors.discipline.policy import LockPolicy
    from semafuzz.targets.nova.stage import Beginnings
    from semafuzz.targets.nova.world.world import Snapshot, World

MODULES = (
    "nova.compute.resource_tracker",
    "nova.compute.stats",
    "nova.compute.claims",
    "nova.pci.manager",
    "nova.pci.stats",
)
"""Nova's modules under test; everything below them counts as library."""


FINDINGS = Path(__file__).parent / "findings"
"""Catalogues; see ``semafuzz.targets.model.catalogue``."""
READING = ("get", "refresh")
"""How the methods of Nova's objects begin that only read."""
MOST_WORLDS = 8
"""Start states without instances that are kept, one for each configuration."""
MOST_STAGES = {"fast": 64, "real": 24}
"""Start states with instances that are kept, by the kind of world: making one costs as much as
running a program. In the real one each has a copy of its databases."""


class NovaTarget(Target):
    """The tracker of the Nova release in this environment."""

    name = "nova"
    summary = "OpenStack Nova's ResourceTracker, unmodified, in a world of two hosts"
    operation_cost = 3000
    """What an operation takes beside its events, in events: some ten milliseconds of
    Nova's own code, most of which is serialization."""

    audited = AuditedClass(
        "nova.compute.resource_tracker",
        "ResourceTracker",
        "compute_resources",
        {
            "driver": "has locks of its own",
            "reportclient": "has a lock of its own",
            "scheduler_client": "has no state of the tracker",
            "provider_tree": "has a lock of its own",
            "service_ref": "set once, before the service takes requests",
        },
        {
            "clean_compute_node_cache": "all that it does is to call remove_node, which the manager's own "
            "update_available_resource calls without the lock: what can come of that comes with this lock, too "
            "(remove-node-unlocked in the catalogue)",
        },
    )

    def sources_of(self, release: str, source: Path | None) -> Path:
        """The folder that holds the package ``nova`` of a release, fetched if need be, or of a source tree."""
        return environments.folder_of(release, source)

    @property
    def verification(self) -> Mapping[str, Value]:
        """What is found has to show on Nova's own database layer and the placement service."""
        return {WORLD.name: "real"}

    def releases(self) -> list[tuple[str, str]]:
        """``(release, state)`` for each release that can be driven."""
        return environments.states()

    def python_for(self, release: str) -> str | None:
        """The Python for a release that is not the installed one; fetches it if need be."""
        here = environments.installed()
        if here is not None and here.release == release:
            return None
        return environments.of_release(release).python

    def choose_release(self, release: str) -> None:
        """Have this process run this Nova; its libraries have to be those of the running Python."""
        environments.choose(environments.of_release(release))

    def choose_source(self, source: Path) -> str:
        """Have this process run the Nova of a checkout or an unpacked sdist."""
        environments.choose(environments.of_source(source))
        return environments.SOURCE

    def releases_between(self, first: str, last: str, given: Sequence[str]) -> list[str]:
        """Releases from ``first`` to ``last``: those that ``given`` names, or else those known."""
        return environments.between(first, last, given)

    def operations(self) -> Sequence[OperationInfo]:
        """The operation table, for generating programs: what the chosen Nova has of it."""
        from semafuzz.targets.nova.operations.table import TABLE

        folder = _folder()
        needed = {spec.needs for spec in TABLE.values() if spec.needs}
        return _operations_with(frozenset(need for need in needed if environments.tracker_has(folder, need)))

    def roles(self) -> Sequence[str]:
        """The roles in which an instance can start, as far as the chosen Nova has operations on them."""
        from semafuzz.targets.nova.operations.table import ROLES

        roles = {info.before for info in self.operations()}
        return [role for role in ROLES if role in roles]

    bundles: Mapping[str, Sequence[str]] | None = {
        "instances": ("new", "active"),
        "migrations": ("incoming", "arriving", "arrived", "leaving", "resized"),
        "elsewhere": ("there", "shelved"),
        "plugged": ("plugged",),
        "extra": ("extra",),
    }
    """How a state machine groups what it creates, by role."""

    def setup_arguments(self) -> Mapping[str, Sequence[Plain]]:
        """An instance's flavor; see ``semafuzz.targets.nova.world.flavors.FLAVORS``. What needs persistent
        memory is left out where the chosen Nova has none."""
        known = environments.tracker_has(_folder(), "_claim_resources")
        return {"flavor": tuple(one for one in SIMPLEST_FIRST if known or not FLAVORS[one].uses_vpmem)}

    def faults(self) -> Sequence[FaultInfo]:
        """What can go wrong around the tracker; see ``semafuzz.targets.nova.boundary.faults``."""
        return FAULTS

    def defects(self) -> Sequence[Defect]:
        """What is known to be wrong with Nova's tracker, and what was found with this tool."""
        return [one for name in ("own", "known", "fixed") for one in read_catalogue(FINDINGS / f"{name}.toml")]

    def changes_nothing_for_others(self, call: str) -> bool:
        """The call was performed and its answer is on the way."""
        return call.endswith(DONE)

    def may_write(self, call: str) -> bool:
        """Whether this I/O point changes rows or allocations. What another service changes does not count, so that
        reads torn by it are left to the sweep: with it, other findings took ten times as many schedules."""
        where, _, what = call.partition(" ")
        if where == "placement":
            return not what.startswith("GET ")
        return where == "conductor" and not what.partition(".")[2].startswith(READING)

    def may_read(self, call: str) -> bool:
        """Nova's calls do one of the two; of what another service does, at once, nothing is torn."""
        return call != ELSEWHERE and not self.may_write(call)

    def options(self) -> Sequence[OptionInfo]:
        """Options of nova.conf that are worth varying, and what the world is made of; see
        ``semafuzz.targets.nova.configuration``. What the chosen Nova lacks is not varied."""
        return (WORLD, OBJECTS, *(replace(one, varied=self._has_option(one.name)) for one in OPTIONS))

    def _has_option(self, name: str) -> bool:
        chosen = environments.chosen()
        return environments.has_option(None if chosen is None else chosen.folder, GROUPS.get(name, "compute"), name)

    def check(self, content: Operations) -> None:
        """Refuse a program that this target cannot run, for instance out of a trace."""
        from semafuzz.targets.nova.operations.table import ROLES, TABLE

        made: set[object] = set()
        for operation in content.setup:
            arguments = operation.arguments
            if operation.name != "instance" or set(arguments) != {"instance", "role", "flavor"}:
                raise UsageError(f"the Nova target has no set-up {operation.name!r}; the trace is of another version")
            number, flavor = arguments["instance"], arguments["flavor"]
            if arguments["role"] not in ROLES or not _is_number(number, 99) or flavor not in SIMPLEST_FIRST:
                raise UsageError(f"the set-up of instance {number!r} is not one of this target; use an original trace")
            made.add(number)
        for operation in (one for task in content.tasks for one in task):
            spec = TABLE.get(operation.name)
            if spec is None:
                raise UsageError(
                    f"the Nova target has no operation {operation.name!r}; it has {', '.join(sorted(TABLE))}"
                )
            if set(operation.arguments) != set(spec.arguments):
                raise UsageError(f"operation {operation.name} takes {spec.arguments}, not {tuple(operation.arguments)}")
            if "instance" in operation.arguments and operation.arguments["instance"] not in made:
                raise UsageError(f"operation {operation.name} is on an instance that the set-up does not make")

    @contextmanager
    def open(self, release: str = "") -> Iterator[OpenTarget]:
        """Boot Nova and make the world; everything process-wide is put back after.

        ``release``: the chosen Nova of the process, or else the installed one, where
        it is empty. Raises UsageError for a release that is not there, CannotJudge
        for a source tree that the world does not fit.
        """
        from semafuzz.targets.nova.releases import boot

        chosen = environments.chosen()
        if chosen is None or release not in ("", chosen.release):
            environments.choose(chosen := environments.of_release(release))
        lacks = environments.lacking(chosen.folder) if chosen.kind == environments.SOURCE and chosen.folder else []
        if lacks:
            raise CannotJudge(f"{chosen} cannot be driven yet: {'; '.join(lacks)}")
        with environments.blamed_on(chosen), _no_logging(), warnings.catch_warnings():
            # What Nova and its libraries deprecate is not for the person who fuzzes them.
            warnings.simplefilter("ignore")
            boot.boot()
            modules = [importlib.import_module(name) for name in MODULES]
            with _undisturbed():
                opened = _OpenNova(self, chosen.release, modules)
                try:
                    yield opened
                finally:
                    opened.objects.switch(False)


@contextmanager
def _no_logging() -> Iterator[None]:
    """No logging: a record reads the clock, the process and the thread, and none of it
    is the tracker's. Nova also logs while it starts."""
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(previous)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Visible sections and calls, and Nova's boundary put back after."""
    from nova.compute.resource_tracker import ResourceTracker
    from nova.objects import base

    from semafuzz.targets.nova.configuration import put_in_force
    from semafuzz.targets.nova.world.named_locks import visible_sections
    from semafuzz.targets.nova.world.stubs import without_notifications

    previous_api = base.NovaObject.indirection_api
    try:
        with visible_sections(), visible_calls(ResourceTracker, callers_unseen=True), without_notifications():
            yield
    finally:
        base.NovaObject.indirection_api = previous_api
        put_in_force({})


def _is_number(value: object, highest: int) -> bool:
    return type(value) is int and 1 <= value <= highest


def _flavors_of(instance: Operation) -> tuple[int, int]:
    """The flavor that an instance of the set-up starts with, and the one it is resized to."""
    number = int(instance.arguments["flavor"] or 0)
    return number, FLAVORS[number].larger


def _folder() -> Path | None:
    """Where the chosen Nova is; None for the installed one."""
    chosen = environments.chosen()
    return None if chosen is None else chosen.folder


@lru_cache(maxsize=64)
def _operations_with(methods: frozenset[str]) -> tuple[OperationInfo, ...]:
    """Those for which a tracker has what they need: asked for with every program that is made. ``methods``: those of
    the tracker that some operation needs."""
    from semafuzz.targets.nova.operations.table import TABLE

    return tuple(
        OperationInfo(
            spec.name,
            "instance" in spec.arguments,
            spec.before,
            spec.after,
            spec.shared,
            spec.weight,
            like=spec.like,
            follower=spec.follower,
        )
        for spec in TABLE.values()
        if not spec.needs or spec.needs in methods
    )


class _OpenNova:
    """Nova booted: makes programs. The world is made with the first of them, so
    that it is made under control."""

    def __init__(self, target: NovaTarget, release: str, modules: Sequence[ModuleType]) -> None:
        from semafuzz.targets.nova.fast_objects import FastObjects
        from semafuzz.targets.nova.invariants.lock_policy import tracker_policy
        from semafuzz.targets.nova.releases.boot import library_versions

        self.target = target
        self.release = release
        self.modules = modules
        self.libraries: Mapping[str, str] = library_versions()
        self._worlds: dict[tuple[object, ...], tuple[World, Snapshot]] = {}
        self._beginnings: dict[tuple[object, ...], Beginnings] = {}
        self._stages: dict[str, dict[tuple[object, ...], Stage]] = {kind: {} for kind in MOST_STAGES}
        self.objects = FastObjects()
        self.sparing = False
        self.thorough = False
        self.around: Sequence[ModuleType] = ()
        self.callers: Sequence[ModuleType] = (importlib.import_module("nova.compute.manager"),)
        self._in_use: World | None = None
        self.policy: LockPolicy | None = tracker_policy(lambda: self._in_use)

    def stage(self, setup: Sequence[Operation], configuration: Mapping[str, Value]) -> Stage:
        """The start state that ``setup`` makes."""
        from semafuzz.targets.nova.refused_stage import RefusedStage
        from semafuzz.targets.nova.stage import NovaStage
        from semafuzz.targets.nova.world.vpmem import is_there
        from semafuzz.targets.nova.world.world import World

        check_configuration(self.target.options(), configuration)
        real = configuration.get(WORLD.name) == "real"
        fast = not real and configuration.get(OBJECTS.name) != "plain"
        own = (WORLD.name, OBJECTS.name)
        configuration = {name: value for name, value in configuration.items() if name not in own}
        unknown = unknown_options(configuration)
        if unknown:
            raise ImpossibleStartError(f"Nova {self.release} has no option {', '.join(unknown)}")
        illegal = illegal_values(configuration)
        if illegal:
            return RefusedStage(configuration, illegal)
        used = [FLAVORS[number] for one in setup for number in _flavors_of(one)]
        pci, vpmem = any(one.uses_pci for one in used), any(one.uses_vpmem for one in used)
        if vpmem and not is_there():
            raise ImpossibleStartError(f"Nova {self.release} has no persistent memory for instances: 20 and newer have")
        key = (real, fast, pci, vpmem, *sorted(configuration.items(), key=lambda item: item[0]))
        if key not in self._worlds:
            if len(self._worlds) >= MOST_WORLDS:
                gone = next(iter(self._worlds))
                del self._worlds[gone]
                self._beginnings.pop(gone, None)
                for made in self._stages.values():
                    for name in [name for name in made if name[0] == gone]:
                        del made[name]
            self.objects.switch(fast)
            world = World(configuration, pci=pci, vpmem=vpmem, real=real)
            self._worlds[key] = world, world.snapshot()
        name = (key, repr(setup))
        kind = "real" if real else "fast"
        stages = self._stages[kind]
        beginnings = None if real else self._beginnings.setdefault(key, {})
        stage = stages.pop(name, None) or NovaStage(*self._worlds[key], setup, partial(self._use, fast), beginnings)
        if len(stages) >= MOST_STAGES[kind]:
            del stages[next(iter(stages))]
        stages[name] = stage
        return stage

    def _use(self, fast: bool, world: World) -> None:
        self.objects.switch(fast)
        world.sparing = fast and self.sparing
        self._in_use = world

    def program(self, scenario: Scenario) -> Program:
        """The program of a scenario."""
        self.target.check(scenario.content)
        there = {info.name for info in self.target.operations()}
        absent = {one.name for task in scenario.content.tasks for one in task} - there
        if absent:
            raise ImpossibleStartError(f"Nova {self.release} has no {', '.join(sorted(absent))}")
        stage = self.stage(scenario.content.setup, scenario.configuration)
        faults = {info.name: info for info in self.target.faults()}
        return StagedProgram(scenario, stage, self.modules, faults)
