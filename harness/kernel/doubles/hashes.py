"""Hashes that follow the order in which objects were hashed first, or made, in place of their addresses.

A set is gone through in the order of its hashes. Of objects without a hash of their own that is the order of
addresses, which differs from process to process: what a program does in that order would not repeat. So classes of
the program under test get a ``__hash__`` that numbers, and synchronisers of the standard library one by the number
of their lock in the task that made it. Everything that a set does in C follows.

Left to their addresses: functions, methods, classes, objects of classes in C, objects without weak references, and
objects of the standard library that were made before the execution.
"""

from __future__ import annotations

import concurrent.futures
import queue
import threading
import weakref
from typing import Any

from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.lockable import lock_of

_numbers: dict[int, tuple[weakref.ref[Any], int]] = {}
"""By address: the object, and its number."""
_last = [0]


def restart() -> None:
    """An execution begins, or what it starts from is made: numbers begin anew. Those of objects that live on stay."""
    _last[0] = 0
    for where in [where for where, (alive, _) in _numbers.items() if alive() is None]:
        del _numbers[where]


def numbered(thing: Any) -> int:
    """``__hash__`` of a class under test: the number of the object among those that were hashed."""
    found = _numbers.get(address(thing))
    if found is not None and found[0]() is thing:
        return found[1]
    _last[0] += 1
    _numbers[address(thing)] = weakref.ref(thing), _last[0]
    return _last[0]


def number_instances(kind: Any) -> Any:
    """A decorator: the class, whose instances are numbered where they have no hash of their own."""
    if issubclass(type(kind), type) and not issubclass(kind, type):
        plain = type.__getattribute__(kind, "__hash__") is object.__hash__
        if plain and type.__dict__["__weakrefoffset__"].__get__(kind):
            type.__setattr__(kind, "__hash__", numbered)
    return kind


def by_lock(thing: Any) -> int:
    """``__hash__`` of a synchroniser: by its lock, where an execution made it."""
    values = vars(thing)
    inner = values.get("_cond") or values.get("_condition")
    lock = lock_of((values if inner is None else vars(inner)).get("_lock") or values.get("mutex"))
    return object.__hash__(thing) if lock is None or lock.made is None else hash(lock.made)


SYNCHRONISERS: tuple[type, ...] = (
    concurrent.futures.Future,
    threading.Event,
    threading.Condition,
    threading.Semaphore,
    threading.Barrier,
    queue.Queue,
)
