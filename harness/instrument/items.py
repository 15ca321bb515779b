"""Hooks of items, of iterating, and of what looks at all of an object."""

from __future__ import annotations

import gc
import operator
import types
from collections.abc import Iterator
from typing import Any

from semafuzz.harness.instrument import object_kinds as kinds
from semafuzz.harness.instrument.attribute_kinds import dictionaries
from semafuzz.harness.instrument.coarse import touch_one, touch_reached
from semafuzz.harness.instrument.containers import CONTAINERS, VIEWS, fills_in, inserts, item_name, key_name
from semafuzz.harness.instrument.object_kinds import handles_itself
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.event_kinds import READ, READ_ALL, READ_ITEM, WRITE, WRITE_ALL, WRITE_ITEM
from semafuzz.harness.kernel.instances import lookup


def item(owner: Any, key: Any, site: int) -> Any:
    """``owner[key]``"""
    execution = current.execution
    if execution is None:
        return owner[key]
    if not issubclass(type(owner), CONTAINERS) or not _plain(owner, "__getitem__"):
        if execution.thorough:
            touch_other(execution, owner, "__getitem__", False, site)
    else:
        if address(owner) in dictionaries:
            execution.touch(READ, dictionaries[address(owner)][1], key, site)
        elif type(owner) is dict:
            execution.touch(READ_ITEM, owner, key_name(key), site)
        elif type(key) is slice:
            execution.touch(READ_ALL, owner, None, site)
        elif fills_in(owner, key, careful=execution.thorough):
            execution.touch(WRITE_ITEM, owner, key_name(key), site)
            execution.note(WRITE_ALL, owner, None, site)
        else:
            execution.touch(READ_ITEM, owner, item_name(owner, key), site)
    return owner[key]


def set_item(value: object, owner: Any, key: Any, site: int) -> None:
    """``owner[key] = value``"""
    execution = current.execution
    if execution is None:
        owner[key] = value
        return
    if not issubclass(type(owner), CONTAINERS) or not _plain(owner, "__setitem__"):
        if execution.thorough:
            touch_other(execution, owner, "__setitem__", True, site)
    else:
        if address(owner) in dictionaries:
            execution.touch(WRITE, dictionaries[address(owner)][1], key, site)
        elif type(key) is slice:
            execution.touch(WRITE_ALL, owner, None, site)
        else:
            execution.touch(WRITE_ITEM, owner, item_name(owner, key), site)
            if inserts(owner, key, careful=execution.thorough):
                execution.note(WRITE_ALL, owner, None, site)
    owner[key] = value


def del_item(owner: Any, key: Any, site: int) -> None:
    """``del owner[key]``"""
    execution = current.execution
    if execution is None:
        del owner[key]
        return
    if not issubclass(type(owner), CONTAINERS) or not _plain(owner, "__delitem__"):
        if execution.thorough:
            touch_other(execution, owner, "__delitem__", True, site)
    else:
        if address(owner) in dictionaries:
            execution.touch(WRITE, dictionaries[address(owner)][1], key, site)
        elif type(key) is slice:
            execution.touch(WRITE_ALL, owner, None, site)
        else:
            execution.touch(WRITE_ITEM, owner, item_name(owner, key), site)
            execution.note(WRITE_ALL, owner, None, site)
    del owner[key]


def touch_other(execution: Any, owner: Any, method: str, changes: bool, site: int) -> None:
    """An operation on something else than a builtin container: one coarse access, unless the class
    does it in rewritten code."""
    if type(owner) is memoryview:
        # What it shows and changes is another object's.
        owner = owner.obj
    kind = kinds.kind_of(owner)
    if kind == kinds.PASSED or type(owner) in (tuple, slice) or handles_itself(owner, method):
        return
    if kind == kinds.OUTSIDE:
        execution.reach_outside(f"{type(owner).__qualname__}.{method}", site)
        return
    touch_one(execution, owner, changes, site)


def _plain(owner: object, method: str) -> bool:
    """Whether the container does this itself, not a Python override of it
    (whose own accesses are then the ones to see)."""
    found = lookup(type(owner), method)
    return found is None or type(found[1]) is not types.FunctionType


def contains(key: Any, owner: Any, site: int) -> bool:
    """``key in owner``"""
    execution = current.execution
    if execution is not None:
        source = source_of(owner)
        if address(owner) in dictionaries:
            execution.touch(READ, dictionaries[address(owner)][1], key, site)
        elif issubclass(type(source), (dict, set)) and _plain(source, "__contains__") and source is owner:
            execution.touch(READ_ITEM, source, key_name(key), site)
        elif issubclass(type(source), CONTAINERS) and (source is not owner or _plain(source, "__contains__")):
            execution.touch(READ_ALL, source, None, site)
        elif execution.thorough:
            touch_other(execution, owner, "__contains__", False, site)
    return key in owner


def source_of(owner: object) -> object:
    """The container behind a view of it: the only object that a view refers to."""
    return gc.get_referents(owner)[0] if type(owner) in VIEWS else owner


def whole(owner: Any, site: int) -> Any:
    """``owner`` as the argument of something that looks at all of it."""
    execution = current.execution
    if execution is not None:
        source = source_of(owner)
        if issubclass(type(source), CONTAINERS):
            execution.touch(READ_ALL, source, None, site)
        elif execution.thorough:
            touch_other(
                execution, owner, "__iter__" if kinds.defines(type(owner), "__iter__") else "__len__", False, site
            )
    return owner


def deep(owner: Any, site: int) -> Any:
    """``owner`` as the argument of something that looks at all of it, and at what it holds."""
    execution = current.execution
    if execution is not None and not kinds.tells_itself(owner):
        touch_reached(execution, (owner,), False, site)
    return owner


def deep_calling(owner: Any, site: int) -> Any:
    """The same where code of the program is called on the way, as by ``max(owner, key=...)``."""
    execution = current.execution
    if execution is not None and touch_reached(execution, (owner,), False, site):
        execution.stretch("a function that calls its key", site)
    return owner


def changed(owner: Any, site: int) -> Any:
    """``owner`` as the namespace of ``eval`` or ``exec``, whose code may change what it holds."""
    execution = current.execution
    if execution is not None:
        execution.limit("reach", "code in a namespace of its own, as eval or exec ran it", site)
        touch_reached(execution, (owner,), True, site)
    return owner


def truth(owner: Any, site: int) -> Any:
    """``owner`` as a condition: the truth of a container is its length."""
    execution = current.execution
    if execution is not None:
        if issubclass(type(owner), CONTAINERS):
            execution.touch(READ_ALL, owner, None, site)
        elif execution.thorough:
            kind = type(owner)
            method = "__bool__" if kinds.defines(kind, "__bool__") else "__len__"
            if kinds.defines(kind, method):
                touch_other(execution, owner, method, False, site)
    return owner


class _Announced:
    """An iterator whose every step is announced as a read of the container.

    That of the container is made with the first step: it knows how large that is, and CPython
    does not switch between the two.
    """

    __slots__ = ("_behind", "_inner", "_owner", "_site")

    def __init__(self, owner: Any, source: object, site: int) -> None:
        self._owner = owner
        self._inner: Iterator[Any] | None = None
        self._behind = source
        self._site = site

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        execution = current.execution
        if execution is not None:
            execution.touch(READ_ALL, self._behind, None, self._site)
        return next(self._begun())

    def _begun(self) -> Iterator[Any]:
        if self._inner is None:
            self._inner = iter(self._owner)
        return self._inner

    def __length_hint__(self) -> int:
        return operator.length_hint(self._begun())


def iterate(owner: Any, site: int) -> Any:
    """``owner`` as what a loop goes over."""
    execution = current.execution
    if execution is not None:
        source = source_of(owner)
        if issubclass(type(source), CONTAINERS):
            return _Announced(owner, source, site)
        if execution.thorough and type(owner) not in (tuple, frozenset) and not handles_itself(owner, "__iter__"):
            kind = kinds.kind_of(owner)
            if kind not in (kinds.PASSED, kinds.OUTSIDE) and kinds.defines(type(owner), "__iter__"):
                return _AnnouncedOther(owner, site)
    return owner


class _AnnouncedOther:
    """An iterator whose every step is announced as a read of what stands behind it."""

    __slots__ = ("_inner", "_owner", "_site", "_steps")

    def __init__(self, owner: Any, site: int) -> None:
        self._owner = owner
        self._inner = iter(owner)
        # What is its own iterator is changed by every step.
        self._steps = self._inner is owner and kinds.kind_of(owner) != kinds.ITERATOR
        self._site = site

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        execution = current.execution
        if execution is not None:
            touch_reached(execution, (self._owner, self._inner), self._steps, self._site, deep=False)
        return next(self._inner)

    def __length_hint__(self) -> int:
        return operator.length_hint(self._inner)


kinds.look_through(_Announced)
kinds.look_through(_AnnouncedOther)


def delegated(owner: Any, site: int) -> Any:
    """``owner`` in ``yield from``: what is sent to a generator has to reach it itself."""
    execution = current.execution
    if execution is not None:
        touch_one(execution, owner, False, site)
    return owner


def own_names(found: Any, site: int) -> Any:
    """What ``locals()`` gives, without names of ours."""
    if type(found) is dict:
        return {name: value for name, value in found.items() if not name.startswith("__sf_")}
    return [name for name in found if not name.startswith("__sf_")]


def turn(site: int) -> bool:
    """One round of a ``while`` loop."""
    execution = current.execution
    if execution is not None:
        execution.touch(op.LOOP, None, None, site)
    return True
