"""Primitives that a module made at import, before control began.

A plain lock at module level would be a real lock that blocks the only OS
thread. The doubles stand in its place while control is installed; objects made
of locks (Condition, Event, Semaphore, Barrier, queues, Thread pools' queues)
get doubles inside, and their state is put back before every execution.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import BuiltinMethodType, ModuleType
from typing import Any

from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles.locks import Lock, RLock
from semafuzz.harness.kernel.install.live_objects import LOCK_TYPE, RLOCK_TYPE, LiveObjects, Undo, is_left_real
from semafuzz.harness.kernel.instances import namespace_of

COMPOSITES = (threading.Condition, threading.Event, threading.Semaphore, threading.Barrier, queue.Queue)

_LOCKS = {LOCK_TYPE, RLOCK_TYPE}

Bind = Callable[[dict[str, Any], str, object], None]
SetAttribute = Callable[[Any, str, object], None]


class Adoption:
    """What was adopted, and how each composite stood at that moment."""

    def __init__(self) -> None:
        self._doubles: dict[int, tuple[Any, Lock]] = {}
        self._snapshots: list[tuple[Any, dict[str, Any]]] = []
        self._seen: set[int] = set()

    def double_of(self, real: Any, label: str) -> Lock:
        """The one double for this real lock."""
        found = self._doubles.get(address(real))
        if found is None:
            double = RLock(real) if type(real) is RLOCK_TYPE else Lock(real)
            double.label = double.label or label
            found = self._doubles[address(real)] = (real, double)
        return found[1]

    def has(self, real: Any) -> bool:
        """Whether this real lock was adopted already."""
        return address(real) in self._doubles

    def enter_composite(self, thing: Any, label: str, assign: SetAttribute) -> None:
        """Put doubles in the place of the locks inside ``thing``."""
        if address(thing) in self._seen:
            return
        self._seen.add(address(thing))
        for name, value in list(vars(thing).items()):
            if type(value) in (LOCK_TYPE, RLOCK_TYPE):
                assign(thing, name, self.double_of(value, label))
            elif issubclass(type(value), COMPOSITES):
                self.enter_composite(value, label, assign)
            elif type(value) is BuiltinMethodType and type(value.__self__) in (LOCK_TYPE, RLOCK_TYPE):
                assign(thing, name, getattr(self.double_of(value.__self__, label), value.__name__))
        self._snapshots.append((thing, _copy_of(vars(thing))))

    def restore(self) -> None:
        """Give every adopted composite the state in which it was found, and loggers that of a fresh
        process: they keep which levels are on, under a lock when they look for the first time."""
        for thing, values in self._snapshots:
            vars(thing).update(_copy_of(values))
        logging = sys.modules.get("logging")
        if logging is not None:
            for logger in (logging.root, *logging.Logger.manager.loggerDict.values()):
                cache = getattr(logger, "_cache", None)
                if cache:
                    cache.clear()


def _copy_of(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.copy() if type(value) in (deque, list, dict, set) else value for name, value in values.items()}


def adopt(modules: Iterable[ModuleType], bind: Bind, assign: SetAttribute) -> Adoption:
    """Adopt plain locks at module level everywhere, and in ``modules`` also
    re-entrant ones, composites, and those that are class attributes.

    Elsewhere re-entrant locks stay real: library code has no scheduling point
    inside its critical sections, and a real one never blocks its own OS thread.
    """
    adoption = Adoption()
    under_test = list(modules)
    for module in under_test:
        _adopt_names(adoption, vars(module), module.__name__, bind, assign)
    for name, module in list(sys.modules.items()):
        namespace = namespace_of(module)
        if namespace is None or is_left_real(name) or any(module is other for other in under_test):
            continue
        if _LOCKS.isdisjoint(map(type, list(namespace.values()))):
            continue
        for key, value in list(namespace.items()):
            # A re-entrant lock that a module under test holds too must be one lock for both.
            if type(value) is LOCK_TYPE or (type(value) is RLOCK_TYPE and adoption.has(value)):
                bind(namespace, key, adoption.double_of(value, f"{name}.{key}"))
    return adoption


def adopt_live(
    adoption: Adoption,
    undo: Undo,
    others: Sequence[tuple[Any, Any]] = (),
    own: Iterable[object] = (),
    *,
    anew: bool = True,
    roots: Sequence[Any] = (),
) -> list[Any]:
    """Adopt the locks of all live objects, and exchange ``others`` for their doubles, but for ``own``
    holders; ``anew`` and ``roots``: see :meth:`LiveObjects.exchange`. What remains: real re-entrant locks in
    places that cannot be changed."""
    doubles = {address(real): double for real, double in others}

    def double_of(real: Any, label: str) -> Any:
        return doubles[address(real)] if address(real) in doubles else adoption.double_of(real, label)

    live = LiveObjects(double_of, undo, own)
    live.exchange([real for real, _ in others], anew=anew, roots=roots)
    return live.left


def _adopt_names(adoption: Adoption, namespace: dict[str, Any], prefix: str, bind: Bind, assign: SetAttribute) -> None:
    for key, value in list(namespace.items()):
        label = f"{prefix}.{key}"
        if type(value) in (LOCK_TYPE, RLOCK_TYPE):
            bind(namespace, key, adoption.double_of(value, label))
        elif issubclass(type(value), COMPOSITES):
            adoption.enter_composite(value, label, assign)
        elif issubclass(type(value), type) and value.__module__ == namespace.get("__name__"):
            for name, inner in list(vars(value).items()):
                if type(inner) in (LOCK_TYPE, RLOCK_TYPE):
                    assign(value, name, adoption.double_of(inner, f"{label}.{name}"))
                elif issubclass(type(inner), COMPOSITES):
                    adoption.enter_composite(inner, f"{label}.{name}", assign)
