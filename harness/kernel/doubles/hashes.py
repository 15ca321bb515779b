"""Hashes that follow the order in which objects were hashed first, or made, in place of their addresses.

A set is gone through in the order of its hashes. Of objects without a hash of their own that is the order of
addresses, which differs from process to process: what a program does in that order would not repeat. So classes of
the program under test get a ``__hash__`` that numbers, and synchronisers of the standard library one by the number
of their lock in the task that made it. Everything that a set does in C follows.

A program can tell: ``hash(x)`` is not ``object.__hash__(x)``, and the class has a ``__hash__`` of its own. Classes that
are made anew by a call (``Point = dataclass(Point)``), and protocols, are left alone for that.

Left to their addresses: functions, methods, classes, objects of classes in C, objects without weak references, and
objects of the standard library that were made before the execution.
"""

from __future__ import annotations

import concurrent.futures
import gc
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any, cast

from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.instances import lookup, mro_of, names_of
from semafuzz.harness.kernel.lockable import lock_of

# Asked past what a metaclass says of its classes.
_can_be_referenced: Callable[[type], int] = type.__dict__["__weakrefoffset__"].__get__

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
    own = _hash_of(type(thing))
    if own is not None:
        return int(own(thing))
    return _remembered(thing, None)


def _remembered(thing: Any, given: int | None) -> int:
    """The hash that an object was given before, or this one, or the next number."""
    found = _numbers.get(address(thing))
    # An object that the collector frees has lost its references before its finaliser runs.
    if found is not None and (found[0]() is thing or (found[0]() is None and gc.is_finalized(thing))):
        return found[1]
    if given is None:
        _last[0] += 1
        given = _last[0]
    _numbers[address(thing)] = weakref.ref(thing), given
    return given


def _hash_of(kind: type) -> Callable[[Any], int] | None:
    """The hash that instances would have without ours; None for the default one. A class that is derived from one
    that numbers and from another with a hash of its own (``class Name(Mixin, str)``) has that one's."""
    for base in mro_of(kind):
        own = names_of(base).get("__hash__", numbered)
        if own is None:
            raise TypeError(f"unhashable type: {kind.__name__!r}")
        if own is not numbered:
            default = base is object and _can_be_referenced(kind)
            return None if default else cast("Callable[[Any], int]", own)
    return None


def number_instances(kind: Any) -> Any:
    """A decorator: the class, whose instances are numbered where they have no hash of their own."""
    if issubclass(type(kind), type) and not issubclass(kind, type) and not _is_protocol(kind):
        found = lookup(kind, "__hash__")
        if found is not None and found[1] is object.__hash__ and _can_be_referenced(kind):
            type.__setattr__(kind, "__hash__", numbered)
    return kind


def _is_protocol(kind: type) -> bool:
    """Whether what stands in the class is what others are asked for."""
    return bool(names_of(kind).get("_is_protocol", False))


def by_lock(thing: Any) -> int:
    """``__hash__`` of a synchroniser: by the lock that it had when it was hashed first, where an execution made it."""
    values = vars(thing)
    inner = values.get("_cond")
    inner = values.get("_condition") if inner is None else inner
    holder = values if type(inner) is not threading.Condition else vars(inner)
    lock = lock_of(holder.get("_lock"))
    lock = lock_of(values.get("mutex")) if lock is None else lock
    return _remembered(thing, object.__hash__(thing) if lock is None or lock.made is None else hash(lock.made))


SYNCHRONISERS: tuple[type, ...] = (
    concurrent.futures.Future,
    threading.Event,
    threading.Condition,
    threading.Semaphore,
    threading.Barrier,
    queue.Queue,
)
