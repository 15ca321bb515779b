"""The few words with which a class can say what is allowed, where its name alone is not enough.

They are for the file of a user, change nothing about the class, and cost nothing where semafuzz does not run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from semafuzz.harness.errors import UsageError

__all__ = ["arguments", "not_thread_safe", "relaxed", "uncompared"]

Method = TypeVar("Method", bound=Callable[..., object])
Kind = TypeVar("Kind", bound=type)
_MARK = "__semafuzz_method__"
_UNCOMPARED = "__semafuzz_uncompared__"


@dataclass(slots=True)
class Marks:
    """What a method says of itself. ``values``: for a parameter what it can be given, the simplest first."""

    relaxed: bool = False
    not_thread_safe: bool = False
    values: dict[str, tuple[object, ...]] = field(default_factory=dict)


def relaxed(method: Method) -> Method:
    """What the method returns may be out of date (a size, an estimate): it is not compared. What it leaves is."""
    _marks_to_write(method).relaxed = True
    return method


def not_thread_safe(method: Method) -> Method:
    """The method is for one thread at a time: it may run before others begin, never beside one."""
    _marks_to_write(method).not_thread_safe = True
    return method


def arguments(**values: Sequence[object]) -> Callable[[Method], Method]:
    """What the parameters of this method (or of ``__init__``) can be given, the simplest first:
    ``@arguments(key=("a", "b"))``. UsageError for what is no non-empty tuple or list."""
    for name, given in values.items():
        if not isinstance(given, (tuple, list, range)) or not given:
            raise UsageError(f"arguments({name}={given!r}): give a tuple of values, the simplest first")

    def mark(method: Method) -> Method:
        _marks_to_write(method).values.update({name: tuple(given) for name, given in values.items()})
        return method

    return mark


def uncompared(*attributes: str) -> Callable[[Kind], Kind]:
    """Attributes of this class that are not looked at when states are compared: ``@uncompared("hits", "misses")``."""

    def mark(kind: Kind) -> Kind:
        setattr(kind, _UNCOMPARED, frozenset(attributes) | uncompared_of(kind))
        return kind

    return mark


def uncompared_of(kind: type) -> frozenset[str]:
    """See :func:`uncompared`."""
    found: frozenset[str] = getattr(kind, _UNCOMPARED, frozenset())
    return found


def marks_of(function: object) -> Marks:
    """What a method says of itself; nothing for most."""
    found = _stored(function)
    return found if found is not None else Marks()


def _stored(function: object) -> Marks | None:
    inner: Any = function
    while inner is not None:
        held: Mapping[str, object] = getattr(inner, "__dict__", {})
        if isinstance(found := held.get(_MARK), Marks):
            return found
        inner = held.get("__wrapped__")
    return None


def _marks_to_write(method: Any) -> Marks:
    target = method.fget if isinstance(method, property) else getattr(method, "__func__", method)
    found = _stored(target)
    if found is None:
        found = Marks()
        setattr(target, _MARK, found)
    return found
