"""Your own targets, declared as a class; docs/own-target.md shows one whole.

Everything here is for the file of a user: the base class, the mark for operations,
``io`` for the code under test, and the words in which faults, options and violations
are told.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, overload

from semafuzz.harness.detectors.discipline.policy import Guard, LockPolicy
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.frames import calling_site
from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.traces.schema import Value
from semafuzz.targets.model.protocol import FaultInfo, OperationInfo, OptionInfo, Plain, Target

__all__ = ["DeclaredTarget", "FaultInfo", "Guard", "LockPolicy", "OptionInfo", "Violation", "io", "operation"]

Method = TypeVar("Method", bound=Callable[..., object])
_MARK = "__semafuzz_operation__"


def io(call: str) -> None:
    """Announce a call that leaves the process: a switch can happen here in every
    model, and a fault that fits ``call`` is raised from here. Does nothing outside a
    controlled execution, so that code may keep it."""
    execution = running()
    if execution is not None:
        execution.io(call, calling_site(op.IO))


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold. ``name`` identifies it and has no values in it,
    ``text`` has them; ``severity``: error, warning or note."""

    name: str
    text: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class _Marked:
    weight: int
    before: str
    after: str
    shared: bool
    arguments: Mapping[str, Sequence[Plain]]


@overload
def operation(method: Method, /) -> Method: ...


@overload
def operation(
    *, weight: int = 2, before: str = "", after: str = "", shared: bool = False, **arguments: Sequence[Plain]
) -> Callable[[Method], Method]: ...


def operation(
    method: Any = None,
    /,
    *,
    weight: int = 2,
    before: str = "",
    after: str = "",
    shared: bool = False,
    **arguments: Sequence[Plain],
) -> Any:
    """Mark a method as an operation that tasks perform: ``method(self, world, ...)``.

    ``arguments``: for each further parameter the values that it can take, the
    simplest first. ``weight``: its share among the operations of programs.
    ``before``: it is on an instance, which must be in this role, and has a parameter
    ``instance``, its number; ``after``: the role that the instance has then, the same
    where none is named; ``shared``: it may run beside others on the same instance.
    """
    marked = _Marked(weight, before, after, shared, arguments)

    def mark(marked_method: Method) -> Method:
        setattr(marked_method, _MARK, marked)
        return marked_method

    return mark if method is None else mark(method)


target_factories: list[Callable[[type[DeclaredTarget]], Target]] = []
"""What makes a target of a class; entered by ``loading``, which imports this module."""


class DeclaredTarget:
    """Base of your own targets. The first line of the docstring is the summary.

    ``modules``: import names of the code under test, looked for beside the file too;
    none means the file itself. ``refusals``: exceptions with which that code legally
    declines an operation. ``roles``: those in which an instance can start, and
    ``instance_arguments``: what else describes one, with its values, the simplest
    first. ``policy``: the class that a lock guards; then :meth:`guards` says which lock.
    ``surroundings``: import names of modules that keep state of the world, beside those and this file; ``matrix
    pairs`` looks into them too. ``verification``: options under which a finding has to show again before it is
    reported, where the world that is searched is a model of the real one.

    Nothing is kept on ``self``: an execution begins with :meth:`start`.
    """

    modules: Sequence[str] = ()
    surroundings: Sequence[str] = ()
    refusals: tuple[type[BaseException], ...] = ()
    roles: Sequence[str] = ()
    instance_arguments: ClassVar[Mapping[str, Sequence[Plain]]] = {}
    faults: Sequence[FaultInfo] = ()
    options: Sequence[OptionInfo] = ()
    policy: LockPolicy | None = None
    verification: ClassVar[Mapping[str, Value]] = {}
    table: ClassVar[Mapping[str, OperationInfo]] = {}

    def start(self, configuration: Mapping[str, Value]) -> Any:
        """Make the world of one execution, from nothing. ``configuration`` has a
        value for each of ``options``."""
        raise UsageError(f"{type(self).__name__} has no method start(self, configuration) that makes its world")

    def guards(self, world: Any) -> Iterable[Guard]:
        """Which objects of the world are guarded by which locks, where there is a policy."""
        return ()

    def set_up(self, world: Any, instance: int, role: str, **arguments: Plain) -> None:
        """Bring an instance into its starting role; called once for each, after start."""

    def check(self, world: Any) -> Iterable[Violation | str] | None:
        """Judge the world when nothing is under way: raise AssertionError, or yield
        violations (or texts, which are named after the line that yields them). One
        name is one finding."""
        return None

    def __init_subclass__(cls, **rest: Any) -> None:
        """Read the operation table; UsageError where the class contradicts itself."""
        super().__init_subclass__(**rest)
        marked: dict[str, Callable[..., object]] = {}
        for owner in reversed(cls.__mro__):
            marked.update({name: value for name, value in vars(owner).items() if hasattr(value, _MARK)})
        cls.table = {name: _info(cls.__name__, name, method) for name, method in marked.items()}
        reached = set(cls.roles)
        for _ in cls.table:
            reached |= {info.after for info in cls.table.values() if info.before in reached}
        for info in cls.table.values():
            if info.on_instance and info.before not in reached:
                raise UsageError(
                    f"{cls.__name__}.{info.name} is on an instance in the role {info.before!r}, in which none can be; "
                    "add it to roles, or as the `after` of an operation"
                )
        for name, values in cls.instance_arguments.items():
            _check_values(f"instance_arguments of {cls.__name__}", name, values)

    @classmethod
    def target(cls) -> Target:
        """A target made of this class, as strategies and state machines take it."""
        return target_factories[0](cls)


def _info(owner: str, name: str, method: Callable[..., object]) -> OperationInfo:
    marked: _Marked = getattr(method, _MARK)
    where = f"{owner}.{name}"
    if marked.after and not marked.before:
        raise UsageError(f"{where} has a role `after` and none `before`; name the role that its instance must have")
    if type(marked.weight) is not int or marked.weight < 1:
        raise UsageError(f"{where} has weight {marked.weight!r}; give a whole number from 1 up")
    for argument, values in marked.arguments.items():
        _check_values(where, argument, values)
    wanted = [*(["instance"] if marked.before else []), *marked.arguments]
    parameters = list(inspect.signature(method).parameters)[2:]
    for parameter in parameters:
        if parameter not in wanted:
            raise UsageError(
                f"{where} has a parameter {parameter!r} without values; "
                + ("name the role `before`" if parameter == "instance" else f"write @operation({parameter}=(1, 2))")
            )
    for parameter in wanted:
        if parameter not in parameters:
            raise UsageError(f"{where} takes no parameter {parameter!r}; it is called with world and {wanted}")
    after = marked.after or marked.before
    return OperationInfo(
        name, bool(marked.before), marked.before, after, marked.shared, marked.weight, marked.arguments
    )


def _check_values(where: str, name: str, values: Sequence[Plain]) -> None:
    plain = isinstance(values, (tuple, list, range)) and all(
        one is None or isinstance(one, (str, int, bool)) for one in values
    )
    if not plain or not values:
        raise UsageError(
            f"{where}: {name} takes {values!r}; give a tuple of texts, whole numbers, True, False or None, "
            "the simplest first"
        )
