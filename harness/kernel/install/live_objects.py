"""Locks and clocks in all live objects: those that were made before control began, wherever they are held.

All tasks share one OS thread, on which a real re-entrant lock excludes nobody and a real plain one
blocks for ever; and a clock that was bound at import (``timer=time.monotonic``) goes on in real time.
So each is exchanged for a double in every place that holds it: module variables, attributes, slots,
closures, defaults of functions, lists, sets and bound methods. A place that cannot be changed (a
tuple) keeps the real lock, and is told.

Left real are the locks of the interpreter itself, of this tool and of what runs it.
"""

from __future__ import annotations

import _thread
import gc
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import BuiltinMethodType, CellType, FrameType, FunctionType, ModuleType
from typing import Any

from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles.locks import Lock, RLock, WaiterLock
from semafuzz.harness.kernel.instances import attributes_of, set_attribute
from semafuzz.harness.kernel.ownership import first_component, is_own

LOCK_TYPE = type(_thread.allocate_lock())
RLOCK_TYPE = type(threading.RLock())
_LOCKS = (LOCK_TYPE, RLOCK_TYPE)
_DOUBLES = (Lock, RLock, WaiterLock)
LEFT_REAL = frozenset({
    "importlib", "_frozen_importlib", "_frozen_importlib_external", "threading", "greenlet", "_weakref", "_weakrefset",
    "pytest", "_pytest", "xdist", "execnet", "pluggy", "coverage", "hypothesis", "linecache", "rich", "click",
    "msgspec",
})  # fmt: skip

_NO_HOLDERS = frozenset({FrameType, BuiltinMethodType})
MOST = 20_000
"""Objects that are looked at below those that were made since."""
Undo = Callable[[Callable[[], None]], None]


def is_left_real(module: str) -> bool:
    """Whether the locks of this module are not the program's."""
    return is_own(module) or first_component(module) in LEFT_REAL


class LiveObjects:
    """Exchanges objects for doubles wherever they are held. ``double_of`` gives the one double of an
    object, for a place by its name; ``undo`` is handed what puts a place back. ``own``: holders of
    ours, which reach the real ones by it. ``left``: re-entrant locks in
    places that cannot be changed."""

    def __init__(self, double_of: Callable[[Any, str], Any], undo: Undo, own: Iterable[object] = ()) -> None:
        self._double_of = double_of
        self._undo = undo
        self._own = {address(one) for one in own}
        self.left: list[Any] = []
        self._classes: dict[int, type] = {}
        self._functions: dict[int, FunctionType] = {}

    def exchange(self, more: Sequence[Any] = (), *, anew: bool = True, roots: Sequence[Any] = ()) -> None:
        """Exchange all locks that are alive now, their methods, and ``more``. Looking through all
        objects takes a tenth of a second for each million: without ``anew`` only the places are
        looked at that held any when that was done last, unless modules were imported since. ``roots``:
        objects that were made since; what they hold is looked at as well."""
        if not anew and _places.modules == len(sys.modules):
            known = [one for one in (place() for place in _places.holders) if one is not None]
            holders = list({address(one): one for one in (*known, *_below(roots))}.values())
            wanted = _wanted_in(holders, more)
        else:
            wanted = {address(one): one for one in (*_locks_alive(), *more)}
            holders = [
                one
                for one in gc.get_referrers(*wanted.values())
                if one is not wanted and type(one) not in _NO_HOLDERS and address(one) not in self._own
            ]
            _places.remember(holders)
        self._classes = _classes_of([one for one in holders if type(one) is dict])
        self._functions = _functions_of([one for one in holders if type(one) is tuple])
        for holder in holders:
            self._exchange_in(holder, wanted)

    def _double(self, real: Any, label: str) -> Any:
        if type(real) is BuiltinMethodType and type(real.__self__) in _LOCKS:
            return getattr(self._double_of(real.__self__, label), real.__name__)
        return self._double_of(real, label)

    def _exchange_in(self, holder: Any, wanted: dict[int, Any]) -> None:
        kind = type(holder)
        if kind is dict:
            self._in_dictionary(holder, wanted)
        elif kind in (list, deque):
            for index, value in enumerate(holder):
                if address(value) in wanted:
                    holder[index] = self._double(value, kind.__name__)
                    self._undo(_putting_item_back(holder, index, value))
        elif kind is CellType:
            real = holder.cell_contents
            holder.cell_contents = self._double(real, "closure")
            self._undo(_putting_cell_back(holder, real))
        elif kind is set:
            self._in_set(holder, wanted)
        elif kind is tuple:
            if not self._in_defaults(holder, wanted):
                self._leave(holder, wanted)
        elif issubclass(kind, (tuple, frozenset)):
            self._leave(holder, wanted)
        elif not is_left_real(_module_of(kind)) and not issubclass(kind, threading.Thread):
            self._in_instance(holder, wanted)

    def _in_dictionary(self, holder: dict[Any, Any], wanted: dict[int, Any]) -> None:
        name = holder.get("__name__")
        if type(name) is str and "__builtins__" in holder and is_left_real(name):
            return
        owner = self._classes.get(address(holder))
        if owner is not None and is_left_real(_module_of(owner)):
            return
        for key, value in list(holder.items()):
            if address(value) not in wanted:
                continue
            if owner is not None:
                type.__setattr__(owner, key, self._double(value, f"{owner.__name__}.{key}"))
                self._undo(_putting_class_attribute_back(owner, key, value))
            else:
                label = f"{name}.{key}" if type(name) is str else str(key) if type(key) is str else "dict"
                holder[key] = self._double(value, label)
                self._undo(_putting_item_back(holder, key, value))

    def _in_defaults(self, holder: tuple[Any, ...], wanted: dict[int, Any]) -> bool:
        function = self._functions.get(address(holder))
        if function is None:
            return False
        made = tuple(self._double(one, function.__name__) if address(one) in wanted else one for one in holder)
        function.__defaults__ = made
        self._undo(_putting_defaults_back(function, holder))
        return True

    def _in_set(self, holder: set[Any], wanted: dict[int, Any]) -> None:
        if holder is vars(threading).get("_shutdown_locks"):
            return
        for value in [one for one in holder if address(one) in wanted]:
            double = self._double(value, "set")
            holder.discard(value)
            holder.add(double)
            self._undo(_putting_member_back(holder, double, value))

    def _in_instance(self, holder: Any, wanted: dict[int, Any]) -> None:
        for name, value in attributes_of(holder).items():
            if address(value) in wanted and set_attribute(
                holder, name, self._double(value, f"{type(holder).__name__}.{name}")
            ):
                self._undo(_putting_attribute_back(holder, name, value))

    def _leave(self, holder: Iterable[Any], wanted: dict[int, Any]) -> None:
        self.left += [one for one in holder if address(one) in wanted and type(one) is RLOCK_TYPE]


class _Places:
    """The holders that were found last: variables of modules, and weakly what can be held so."""

    def __init__(self) -> None:
        self.modules = -1
        self.holders: list[Callable[[], Any]] = []

    def remember(self, holders: list[Any]) -> None:
        self.modules, self.holders = len(sys.modules), []
        for one in holders:
            if type(one) is dict and "__builtins__" in one:
                self.holders.append(_itself(one))
            elif type(one) not in (dict, list, tuple, set, deque):
                with suppress(TypeError):
                    self.holders.append(weakref.ref(one))


_places = _Places()


def _itself(one: Any) -> Callable[[], Any]:
    return lambda: one


def _below(roots: Sequence[Any]) -> list[Any]:
    """The objects that hold a lock, among those that can be reached from these."""
    found: list[Any] = []
    seen = {address(one) for one in roots}
    left = list(roots)
    while left and len(seen) < MOST:
        one = left.pop()
        if isinstance(one, (type, ModuleType)):
            continue
        inner = gc.get_referents(one)
        if any(type(part) in _LOCKS for part in inner):
            found.append(one)
        for part in inner:
            if address(part) not in seen:
                seen.add(address(part))
                left.append(part)
    return found


def _wanted_in(holders: list[Any], more: Sequence[Any]) -> dict[int, Any]:
    clocks = {address(one) for one in more}
    found: dict[int, Any] = {}
    for holder in holders:
        for one in gc.get_referents(holder):
            kind = type(one)
            method = kind is BuiltinMethodType and type(one.__self__) in _LOCKS
            if kind in _LOCKS or method or address(one) in clocks:
                found[address(one)] = one
    return found


def _module_of(kind: type) -> str:
    return str(type.__dict__["__module__"].__get__(kind))


def _locks_alive() -> list[Any]:
    """The real locks, and their methods where these are held by themselves. Those of doubles are left out."""
    locks: list[Any] = []
    methods: list[Any] = []
    kept: set[int] = set()
    for one in gc.get_objects():
        kind = type(one)
        if kind in _LOCKS:
            locks.append(one)
        elif kind is BuiltinMethodType:
            if type(one.__self__) in _LOCKS:
                methods.append(one)
        elif kind in _DOUBLES:
            kept.add(address(one._real))
    found = [one for one in locks if address(one) not in kept]
    return found + [one for one in methods if address(one.__self__) not in kept]


def _classes_of(dictionaries: list[dict[Any, Any]]) -> dict[int, type]:
    """The classes whose attributes these are, by the ``id`` of the dictionary."""
    candidates = [one for one in dictionaries if "__module__" in one and "__doc__" in one]
    found: dict[int, type] = {}
    for one in gc.get_referrers(*candidates) if candidates else ():
        if issubclass(type(one), type):
            inner = gc.get_referents(type.__dict__["__dict__"].__get__(one))
            found[address(inner[0])] = one
    return found


def _functions_of(tuples: list[tuple[Any, ...]]) -> dict[int, FunctionType]:
    """The functions whose defaults these are, by the ``id`` of the tuple."""
    return {
        address(one.__defaults__): one
        for one in (gc.get_referrers(*tuples) if tuples else ())
        if type(one) is FunctionType and one.__defaults__ is not None and not is_own(one.__module__ or "")
    }


def _putting_defaults_back(function: FunctionType, defaults: tuple[Any, ...]) -> Callable[[], None]:
    def put_back() -> None:
        function.__defaults__ = defaults

    return put_back


def _putting_item_back(holder: Any, key: Any, value: object) -> Callable[[], None]:
    def put_back() -> None:
        try:
            holder[key] = value
        except IndexError:
            return

    return put_back


def _putting_cell_back(holder: CellType, value: object) -> Callable[[], None]:
    def put_back() -> None:
        holder.cell_contents = value

    return put_back


def _putting_class_attribute_back(owner: type, name: str, value: object) -> Callable[[], None]:
    return lambda: type.__setattr__(owner, name, value)


def _putting_member_back(holder: set[Any], double: object, value: object) -> Callable[[], None]:
    def put_back() -> None:
        if double in holder:
            holder.discard(double)
            holder.add(value)

    return put_back


def _putting_attribute_back(holder: object, name: str, value: object) -> Callable[[], None]:
    def put_back() -> None:
        set_attribute(holder, name, value)

    return put_back
