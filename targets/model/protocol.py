"""The protocol of targets: operations on a world, and oracles that judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import NamedTuple, Protocol, runtime_checkable

from semafuzz.harness.detectors.discipline.policy import LockPolicy
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.runs.program import Program
from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets.model.scenario import Scenario

Plain = str | int | bool | None


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """One operation, as far as generating programs goes.

    ``on_instance``: it works on one instance, which must have the role ``before``
    and then has ``after``. ``shared``: it may run beside others on the same
    instance. ``weight``: its share among the operations of programs.
    ``arguments``: further arguments, each with the values that it can take, the
    simplest first. ``like``: another operation of which it is a variant; what that one
    shows says what is wrong with this one, too, so that it is its turn after that.
    """

    name: str
    on_instance: bool = False
    before: str = ""
    after: str = ""
    shared: bool = False
    weight: int = 2
    arguments: Mapping[str, Sequence[Plain]] = field(default_factory=dict)
    like: str = ""
    follower: str = ""


@dataclass(frozen=True, slots=True)
class FaultInfo:
    """One thing that can go wrong at a call that leaves the process.

    ``calls``: beginnings of the names of the I/O points that it fits, as the world
    announces them. ``error`` makes the exception that the call then raises, given
    the name of the point.
    """

    name: str
    summary: str
    calls: tuple[str, ...]
    error: Callable[[str], BaseException]

    def fits(self, call: str) -> bool:
        """Whether the fault can happen at this I/O point."""
        return call.startswith(self.calls)


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """One option of the target's configuration. ``legal``: values that it must work
    with, the default first; ``illegal``: values that it must refuse. ``varied``:
    whether generated scenarios vary it, or it is only set on purpose."""

    name: str
    legal: tuple[Value, ...]
    illegal: tuple[Value, ...] = ()
    varied: bool = True


class ImpossibleStartError(UsageError):
    """The set-up of a scenario does not fit into the target's world: its instances ask
    for more than there is. Searches pass such a scenario over."""


class LackingWorldError(ImpossibleStartError):
    """The world around the code under test has no answer to something that a program of this release asks
    for. Searches pass such a program over and name what is lacking."""

    def __init__(self, call: str) -> None:
        super().__init__(f"the world around the code under test has no answer to {call} yet")


class Stage(Protocol):
    """A start state of a target's world, from which operations run again and again.

    ``refusals``: exceptions with which the code under test legally declines an
    operation; what the same task would do next with that instance is left out then, unless it
    ``goes_on``.
    ``unanswered``: what was asked of the world since the start state to which it has no answer, or "".
    """

    refusals: tuple[type[BaseException], ...]

    @property
    def unanswered(self) -> str:
        """See the class."""

    def restore(self) -> None:
        """Go back to the start state; no execution is running. Raises
        ImpossibleStartError where it cannot be made."""

    def perform(self, operation: Operation) -> object:
        """Do one operation, in the running task."""

    def goes_on(self, operation: Operation) -> bool:
        """Whether an operation can be done though an earlier one on its instance came to nothing: the
        instance is in the role that it needs all the same."""

    def judge(self, tasks: Sequence[Sequence[Operation]], faults: Sequence[Operation]) -> list[Failure]:
        """What does not hold now that nothing is under way. ``tasks``: what ran."""


class OpenTarget(Protocol):
    """A target ready to run programs. ``policy``: which state is guarded by which
    lock, or None where the target does not say. ``sparing``: whoever searches many programs asks for oracles
    that leave out, most of the time, what hardly ever shows anything; what repeats a run does not. ``thorough``: how
    closely its executions are watched, see :class:`semafuzz.harness.kernel.execution.Execution`; ``around``: modules
    that surround the code under test, which are looked into as well where a search is to say what it covers;
    ``callers``: modules that call it and are not looked into, whose methods a remedy may name."""

    release: str
    modules: Sequence[ModuleType]
    libraries: Mapping[str, str]
    policy: LockPolicy | None
    around: Sequence[ModuleType]
    callers: Sequence[ModuleType]
    sparing: bool
    thorough: bool

    def stage(self, setup: Sequence[Operation], configuration: Mapping[str, Value]) -> Stage:
        """The start state that ``setup`` makes; UsageError where it is not one."""

    def program(self, scenario: Scenario) -> Program:
        """The program of a scenario; UsageError where it is not one."""


def modules_to_watch(opened: OpenTarget, *, thorough: bool) -> Sequence[ModuleType]:
    """The modules to look into. ``thorough``: all that may hold state of the world."""
    return list(dict.fromkeys([*opened.modules, *opened.around])) if thorough else opened.modules


class Target:
    """What the registry holds; imports of the code under test happen in ``open``.

    ``operation_cost``: what an operation takes beside its events, in events.
    ``bundles``: how a state machine groups the instances that it makes, by role; None for
    one group. ``sources``: files that make it up beside the modules that it opens. The
    attributes and methods from ``operation_cost`` on have defaults.
    """

    name: str
    summary: str
    operation_cost: int = 0
    bundles: Mapping[str, Sequence[str]] | None = None
    sources: Sequence[Path] = ()

    @property
    def verification(self) -> Mapping[str, Value]:
        """The options of a more faithful world in which findings have to show again before
        they are reported; none for most."""
        return {}

    def releases(self) -> list[tuple[str, str]]:
        """``(release, state)`` of each release that can be driven."""
        raise NotImplementedError

    def operations(self) -> Sequence[OperationInfo]:
        """The operation table."""
        raise NotImplementedError

    def roles(self) -> Sequence[str]:
        """The roles in which an instance can start; empty where there are no instances."""
        return ()

    def setup_arguments(self) -> Mapping[str, Sequence[Plain]]:
        """What else describes an instance (``flavor``), with its values, the simplest first
        and what has most parts last: of these two searches take more."""
        return {}

    def chains(self) -> Sequence[Sequence[str]]:
        """What is done together: ``acquire``, then ``release``."""
        return ()

    def configurations(self) -> Sequence[Mapping[str, Value]]:
        """Configurations under which every small program is worth running; the default first."""
        return ({},)

    def notes(self) -> Sequence[str]:
        """What a person should know before they read what was found; asked for in a session."""
        return ()

    def faults(self) -> Sequence[FaultInfo]:
        """What can go wrong around the code under test."""
        return ()

    def options(self) -> Sequence[OptionInfo]:
        """Configuration that is worth varying."""
        return ()

    def changes_nothing_for_others(self, call: str) -> bool:
        """Whether others see the same before this I/O point as before the task's next one."""
        return False

    def may_write(self, call: str) -> bool:
        """Whether this I/O point may change what others read."""
        return True

    def may_read(self, call: str) -> bool:
        """Whether it may read what others change."""
        return True

    def open(self, release: str = "") -> AbstractContextManager[OpenTarget]:
        """Make the target ready; everything is put back when the block ends."""
        raise NotImplementedError


class AuditedClass(NamedTuple):
    """A class whose locking is audited: its module and name, the lock that guards it, and the attributes that it does
    not guard, each with the reason. ``harmless``: methods from which nothing comes without the lock, with the
    argument."""

    module: str
    name: str
    lock: str
    apart: Mapping[str, str]
    harmless: Mapping[str, str] = MappingProxyType({})


@runtime_checkable
class Audited(Protocol):
    """A target that says which of its classes a lock guards."""

    audited: AuditedClass

    def sources_of(self, release: str, source: Path | None) -> Path:
        """The folder that holds the packages of a release, or of a source tree."""


@runtime_checkable
class Released(Protocol):
    """A target whose code comes in releases and source trees; one of them in a process."""

    def python_for(self, release: str) -> str | None:
        """The Python to start for a release that this process is not made for, or None
        where it is. UsageError where the release cannot be had or driven."""

    def choose_release(self, release: str) -> None:
        """Have this process run a release of the code under test. UsageError where it cannot be."""

    def choose_source(self, source: Path) -> str:
        """Have this process run a source tree; the release to open it with.
        UsageError where the folder holds none."""

    def releases_between(self, first: str, last: str, given: Sequence[str]) -> list[str]:
        """The releases from ``first`` to ``last``, with both of them, oldest first:
        those in ``given``, or else those that are known. UsageError for what is none."""
