"""Coarse accesses: code that is not looked into, and what it can reach.

A call of a function that was not rewritten, or an operation that C performs, touches the objects
that it is given and those that these hold. Each is one access, to all of the object: to an instance
also one for each of its attributes, since rewritten code touches those by name.

How far that goes is limited (``MOST`` objects); where the limit is met, the search says that
it did not see everything.
"""

from __future__ import annotations

import gc
import itertools
from collections import deque
from collections.abc import Iterable
from types import GeneratorType
from typing import Any

from semafuzz.harness.instrument import object_kinds as kinds
from semafuzz.harness.instrument.attribute_kinds import data_names
from semafuzz.harness.instrument.containers import CONTAINERS
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.instances import attributes_of

MOST = 300
"""Objects that one operation is followed to."""


def reached(roots: Iterable[object], execution: Any, site: int, *, deep: bool = True) -> list[tuple[int, object]]:
    """The objects with state that can be reached from ``roots``, with their kinds, in order."""
    found: list[tuple[int, object]] = []
    seen: set[int] = set()
    level = list(roots)
    steps = 0
    while level:
        below: list[object] = []
        for one in level:
            if type(one) is memoryview:
                # What it shows and changes is another object's.
                one = _behind(one)
            kind = kinds.kind_of(one)
            if kind == kinds.PASSED or address(one) in seen:
                continue
            seen.add(address(one))
            steps += 1
            if steps > MOST:
                execution.limit("reach", "an object graph too large to follow", site)
                return found
            if kind != kinds.THROUGH:
                found.append((kind, one))
            if kind == kinds.THROUGH or kind == kinds.ITERATOR:
                if type(one) is not GeneratorType:
                    below += gc.get_referents(one)
            elif not deep:
                continue
            elif kind == kinds.CONTAINER:
                below += itertools.islice(_contents_of(one), MOST + 1)
            elif kind == kinds.INSTANCE:
                below += attributes_of(one).values()
                if issubclass(type(one), _WITH_CONTENTS):
                    below += _contents_of(one)
        level = below
    return found


_WITH_CONTENTS = (tuple, frozenset, BaseException)


def _contents_of(owner: Any) -> list[object]:
    """What a container holds, and its attributes: never by its dictionary, which is made when somebody asks for it."""
    kind = type(owner)
    if kind in (list, dict, set, deque):
        return gc.get_referents(owner)
    found: list[object] = []
    if issubclass(kind, dict):
        found = [*dict.keys(owner), *dict.values(owner)]
    elif issubclass(kind, BaseException):
        found = [*BaseException.args.__get__(owner)]  # type: ignore[attr-defined]
    else:
        for base in (list, set, deque, tuple, frozenset):
            if issubclass(kind, base):
                found = list(base.__iter__(owner))
    return found if kind in CONTAINERS else [*found, *attributes_of(owner).values()]


def _behind(view: memoryview) -> object:
    try:
        return view.obj
    except ValueError:
        return view


def touch_all(execution: Any, found: list[tuple[int, object]], changes: bool, site: int) -> None:
    """An access to all of these objects: one scheduling point for all of them."""
    if not found:
        return
    if len(found) > 1 or len(_names_of(found[0][1])) > 1:
        instance = next((one for kind, one in found if kind == kinds.INSTANCE), None)
        if instance is not None:
            execution.stretch(f"a look at a {type(instance).__qualname__}", site)
    whole, part = (op.WRITE_ALL, op.WRITE) if changes else (op.READ_ALL, op.READ)
    first = True
    for kind, one in found:
        how = op.WRITE_ALL if kind == kinds.ITERATOR else whole
        if first:
            execution.touch(how, one, None, site)
            first = False
        else:
            execution.note(how, one, None, site)
        if kind == kinds.INSTANCE or (kind == kinds.CONTAINER and type(one) not in CONTAINERS):
            for name in _names_of(one):
                execution.note(part, one, name, site)
        elif kind in (kinds.OUTSIDE, kinds.UNKNOWN) or type(one) is GeneratorType:
            note_stranger(execution, kind, one, site)


def _names_of(owner: object) -> list[str]:
    """The attributes of an object, and those that it may get: for which its class has a value."""
    names = list(attributes_of(owner))
    kind = type(owner)
    if kind not in CONTAINERS:
        names += [name for name in data_names(kind) if name not in names]
    return [*names, *_OF_EXCEPTIONS] if issubclass(type(owner), BaseException) else names


_OF_EXCEPTIONS = ("args", "__cause__", "__context__", "__notes__")


def touch_reached(execution: Any, roots: Iterable[object], changes: bool, site: int, *, deep: bool = True) -> bool:
    """Announce an access to what can be reached from ``roots``; whether there is anything."""
    found = reached(roots, execution, site, deep=deep)
    if found:
        touch_all(execution, found, changes, site)
    return bool(found)


def touch_one(execution: Any, owner: object, changes: bool, site: int) -> None:
    """Announce an operation on an object, and on what stands behind it."""
    touch_reached(execution, (owner,), changes, site, deep=False)


def note_stranger(execution: Any, kind: int, owner: object, site: int) -> None:
    """An object whose state is not known, or not in this process alone: named where two tasks hold it."""
    if kind == kinds.OUTSIDE:
        execution.limit("outside", type(owner).__name__, site)
        return
    strangers = execution.outcome.strangers
    task = execution.current
    before = strangers.setdefault(address(owner), (owner, task))
    if before[1] is task:
        return
    if type(owner) is GeneratorType:
        # Within a step of it only accesses are scheduling points, and not its end.
        execution.limit("reach", "a generator that two tasks step", site)
    else:
        execution.limit("unknown", f"{type(owner).__module__}.{type(owner).__qualname__}", site)


def note_module(execution: Any, module: object, name: str, site: int) -> None:
    """A module in C, which may have a state of its own: named where two tasks call its functions."""
    task = execution.current
    before = execution.outcome.strangers.setdefault(address(module), (module, task))
    if before[1] is not task:
        execution.limit("unknown", f"the module {name}", site)
