"""Calls of a class's methods, as they happened: what each came to, and which had ended before another began."""

from __future__ import annotations

import atexit
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.methods import ClassMethod
from semafuzz.targets.classes.shape import Snapshot, snapshot, without_addresses
from semafuzz.targets.classes.values import Function
from semafuzz.targets.model.protocol import Plain
from semafuzz.targets.model.scenario import describe_operation

_MOST_ITEMS = 1000
"""Items of an iterator that are fetched."""
LEFT_OUT = "left out"
"""What a call comes to that gives back what nobody has."""


_ENTERED: dict[int, Any] = {}
"""Context managers that nobody has left. They are kept: when they are freed, their ``finally`` would run, outside of
any run and on locks of another one."""


def _end_quietly() -> None:
    if _ENTERED:
        # What they do when the interpreter frees them is no part of any run.
        sys.unraisablehook = lambda _: None


atexit.register(_end_quietly)


class Raised:
    """An exception as what a call came to."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


@dataclass(frozen=True, slots=True)
class CameTo:
    """What a call came to, as it was when it ended: what becomes of a result later is another matter. ``text``: for
    a person; ``error``: what it raised."""

    value: Snapshot
    text: str
    error: BaseException | None = None


@dataclass(slots=True)
class Call:
    """One call. ``begun`` and ``ended``: places in the order of all beginnings and ends, which is real time;
    ``ended`` is None for one that has not returned. ``faulted``: a fault was raised in it, so that it may have
    happened or not, and may come to anything."""

    number: int
    task: int
    operation: Operation
    begun: int = -1
    ended: int | None = None
    came_to: CameTo | None = None
    faulted: bool = False


@dataclass(slots=True)
class History:
    """The calls of one run, numbered as the program has them: task by task."""

    calls: list[Call]
    _moment: int = 0

    @classmethod
    def of(cls, tasks: Sequence[Sequence[Operation]]) -> History:
        """That of a program, before it ran."""
        made = [(task, one) for task, operations in enumerate(tasks) for one in operations]
        return cls([Call(number, task, one) for number, (task, one) in enumerate(made)])

    def begin(self, call: Call) -> None:
        """The call begins now."""
        call.begun = self._moment
        self._moment += 1

    def end(self, call: Call, result: CameTo) -> None:
        """It has come to this."""
        call.ended, call.came_to = self._moment, result
        self._moment += 1

    def order(self) -> frozenset[tuple[int, int]]:
        """Which of the calls had ended before which began."""
        calls = self.calls
        return frozenset(
            (one.number, other.number)
            for one in calls
            for other in calls
            if one.ended is not None and one.ended < other.begun
        )


@dataclass(slots=True)
class World:
    """One instance, what calls have given to each task that it may give back, and what it has entered. ``functions``:
    those that were passed, by their words; they live as long as it. ``has_threads``: it started some as it was made, or
    in the calls before, that would go on, and do not."""

    instance: Any
    methods: Mapping[str, ClassMethod]
    given: dict[tuple[int, str], list[object]] = field(default_factory=dict)
    entered: dict[tuple[int, str], list[Any]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    has_threads: bool = False

    def call(self, operation: Operation, task: int) -> object:
        """Do one call, in the running task; what it returned, or what it raised."""
        method = self.methods[operation.name]
        try:
            result = self._perform(method, operation.arguments, task)
        except (Exception, SystemExit) as error:
            return Raised(error)
        if result is not LEFT_OUT:
            self.given.setdefault((task, method.name), []).append(result)
        return result

    def _kept(self, value: object) -> object:
        """A value that is passed; of a function always the same one, for what refers to it weakly."""
        return self.functions.setdefault(value.word, value) if isinstance(value, Function) else value

    def _perform(self, method: ClassMethod, arguments: Mapping[str, Plain], task: int) -> object:
        instance = self.instance
        if method.form == "property":
            return getattr(instance, method.name)
        if method.form == "enter":
            return type(instance).__enter__(instance)
        if method.form == "leave":
            return self._leave(method, task)
        values = [self._kept(one.value(arguments[name])) for name, one in method.parameters.items()]
        if method.opener:
            held = self.given.get((task, method.opener), [])
            if not held:
                # What gives back what nobody took is another program's mistake.
                return LEFT_OUT
            taken = held.pop()
            if method.takes_back:
                values = [taken]
        names = [method.takes_back] if method.takes_back else list(method.parameters)
        plain = 1 if method.takes_back else method.positional
        if method.form == "setter":
            setattr(instance, method.name.removesuffix("="), values[0])
            return None
        function: Callable[..., object] = getattr(instance, method.name)
        if method.form == "managed":
            manager: Any = function(*values[:plain], **dict(zip(names[plain:], values[plain:], strict=True)))
            entered = manager.__enter__()
            self.entered.setdefault((task, method.name), []).append(manager)
            _ENTERED[id(manager)] = manager
            return entered
        result = function(*values[:plain], **dict(zip(names[plain:], values[plain:], strict=True)))
        return _used_up(result)

    def _leave(self, method: ClassMethod, task: int) -> object:
        """Leave what the task entered last by the method before."""
        if self.methods[method.opener].form == "enter":
            if not self.given.get((task, method.opener)):
                return LEFT_OUT
            self.given[task, method.opener].pop()
            return type(self.instance).__exit__(self.instance, None, None, None)
        entered = self.entered.get((task, method.opener))
        if not entered:
            return LEFT_OUT
        manager = entered.pop()
        _ENTERED.pop(id(manager), None)
        manager.__exit__(None, None, None)
        return None


def _used_up(result: object) -> object:
    """What an iterator gives: one that is only made has not done it yet."""
    if inspect.isgenerator(result) or (hasattr(type(result), "__next__") and not hasattr(result, "__dict__")):
        found = []
        for one in result:  # type: ignore[attr-defined]
            found.append(one)
            if len(found) == _MOST_ITEMS:
                break
        return found
    return result


def came_to(result: object, instance: object) -> CameTo:
    """What a call came to, now."""
    if result is instance:
        return CameTo(Snapshot(("itself",), ()), "itself")
    if isinstance(result, Raised):
        texts = tuple(without_addresses(str(one)) for one in result.error.args)
        shape = ("raised", type(result.error).__qualname__, texts)
        return CameTo(Snapshot(shape, ()), f"raises {type(result.error).__name__}", result.error)
    if result is LEFT_OUT:
        return CameTo(Snapshot((LEFT_OUT,), ()), LEFT_OUT)
    return CameTo(snapshot(result), _told(result))


def told_by_task(calls: Sequence[Call]) -> list[str]:
    """What the calls of each task came to, for a person."""
    found: dict[int, list[str]] = {}
    for call in calls:
        said = call.came_to.text if call.came_to is not None else "has not returned"
        how = ", after a fault" if call.faulted else ""
        found.setdefault(call.task, []).append(f"{describe_operation(call.operation)} → {said}{how}")
    return ["; ".join(lines) for lines in found.values()]


def _told(result: object) -> str:
    try:
        text = without_addresses(repr(result))
    except Exception:
        text = type(result).__name__
    return text if len(text) <= 60 else text[:57] + "..."
