"""Objects by names that hold from one execution to the next, where their addresses do not.

Two executions make their objects anew. What both have in common is where an object comes from:

- it could be reached when the first task was started (or when the tasks began, where all are there from the
  start): its name is the way to it, from what the tasks are to run or from a place that touched it,
  which is the same in every execution, because one task alone made all that;
- it is a lock that a task made: the name is the task and the how many-th lock of it;
- a constructor in Python wrote to it first: the name is the task and the number of that step.

Everything else is *vague*: two vague objects of one type may be the same, and are taken for it.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, cast

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.instances import attributes_of
from semafuzz.harness.kernel.lockable import Lockable, lock_of
from semafuzz.harness.kernel.ownership import first_component, is_own
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent, Task, task_of
from semafuzz.harness.kernel.tokens import Token

Name = tuple[object, ...]
_MOST: Final = 2_000
"""Objects that a walk goes to; what lies beyond is vague."""
_LEAVES: Final = frozenset({
    str, bytes, int, float, bool, complex, type(None), type, types.ModuleType, types.CodeType,
    types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType, property, Task,
})  # fmt: skip


_MACHINERY: Final = ("__", "@")
"""Variables of a module that begin so are the interpreter's, or those of pytest."""


class Paths:
    """Numbers for the ways to objects, the same in all executions of one search."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[object, ...], int] = {}

    def number(self, *way: object) -> int:
        """The number of a way: where it comes from, and its last part."""
        return self._numbers.setdefault(way, len(self._numbers))


class Objects:
    """The names of the objects of one execution, by ``id``. Those that were walked over are held, so that no
    other object gets their address."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._names: dict[int, Name] = {}
        self._held: list[object] = []

    def walk(self, events: Sequence[RawEvent], tasks: Sequence[Task]) -> None:
        """Name all that can be reached from what the tasks are to run and what the events touched."""
        number = self._paths.number
        queue: list[tuple[object, int]] = [(task.run, number("task", task.index)) for task in tasks]
        touched: dict[int, int] = {}
        for _, _, subject, _, site in events:
            times = touched[site] = touched.get(site, 0) + 1
            queue.append((subject, number("site", site, times)))
        names, held = self._names, self._held
        position = 0
        while position < len(queue) and len(held) < _MOST:
            one, way = queue[position]
            position += 1
            if type(one) in _LEAVES or address(one) in names:
                continue
            if type(one) is not Token:
                names[address(one)] = ("start", way)
                held.append(one)
            for key, part in _parts(one):
                if type(part) not in _LEAVES and address(part) not in names:
                    queue.append((part, number(way, key)))

    def name(self, subject: object, event: RawEvent, number: int) -> Name:
        """The name of an object that an event touches, the task's event with this number."""
        if subject is None:
            return ()
        found = self._names.get(address(subject))
        if found is None:
            found = self._names[address(subject)] = self._first_name(subject, event, number)
            self._held.append(subject)
        return found

    def _first_name(self, subject: object, event: RawEvent, number: int) -> Name:
        task = task_of(subject)
        if task is not None:
            return ("task", task.index)
        lock = lock_of(subject)
        if lock is not None:
            return _name_of_lock(lock)
        if event[0] == op.WRITE and SITES[event[4]].function.endswith("__init__"):
            return ("made", event[1].index, number)
        return ("vague", subject.kind_name if type(subject) is Token else type(subject).__name__)


def _name_of_lock(lock: Lockable) -> Name:
    made = lock.made
    if made is not None:
        return ("lock", *made)
    return ("vague", lock.label or type(lock).__name__)


def _parts(owner: object) -> Iterable[tuple[object, object]]:
    """What an object holds, by keys that are the same wherever it is made in the same way."""
    kind = type(owner)
    if kind is dict:
        items = list(owner.items())  # type: ignore[attr-defined]
        if "__spec__" in owner:  # type: ignore[operator]
            # The variables of a module. Where it was loaded from leads to everything, and to nothing that tasks share.
            items = [(key, part) for key, part in items if type(key) is not str or not key.startswith(_MACHINERY)]
        return [(key if type(key) is str else position, part) for position, (key, part) in enumerate(items)]
    if kind is list or kind is tuple:
        return list(enumerate(cast("Sequence[object]", owner)))
    if kind is types.FunctionType:
        return _of_function(owner)  # type: ignore[arg-type]
    if kind is types.MethodType:
        return [("self", owner.__self__), ("function", owner.__func__)]  # type: ignore[attr-defined]
    if kind is partial:
        given = enumerate(owner.args)  # type: ignore[attr-defined]
        return [("function", owner.func), *given, *owner.keywords.items()]  # type: ignore[attr-defined]
    if issubclass(kind, type) or kind.__module__ == "builtins" or is_own(kind.__module__):
        return ()
    return attributes_of(owner).items()


def _of_function(function: types.FunctionType) -> list[tuple[object, object]]:
    found: list[tuple[object, object]] = []
    if function.__closure__:
        # By their number: to ask for their names is to tell the hook that watches for escapes.
        for number, cell in enumerate(function.__closure__):
            try:
                found.append((("cell", number), cell.cell_contents))
            except ValueError:
                continue
    if function.__defaults__:
        found += enumerate(function.__defaults__)
    if first_component(str(function.__module__)) not in sys.stdlib_module_names:
        found.append(("globals", function.__globals__))
    return found
