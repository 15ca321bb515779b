"""Guarded state: the objects that belong to it at this moment, and by which path.

Starting from an object that a lock guards, attributes and containers are followed
as far as a policy says. The walk uses no code of the program: no property, no
``__getattr__``, no overridden ``items``, no ``__class__``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from types import MemberDescriptorType
from typing import Any, NamedTuple

from semafuzz.harness.kernel.address import address

_CONTAINERS = (dict, list, tuple, set, frozenset, deque, bytearray)
_OBJECT, _PARTS = 1, 2


class Spot(NamedTuple):
    """An object of guarded state. ``path``: how it is reached, for a person."""

    thing: object
    path: str


class _Kinds(dict[type, int]):
    """What there is to follow in objects of a type, found out once."""

    def __init__(self, reach: tuple[type, ...]) -> None:
        self._reach = reach

    def __missing__(self, kind: type) -> int:
        parts = _PARTS if issubclass(kind, _CONTAINERS) else 0
        found = self[kind] = parts | (_OBJECT if issubclass(kind, self._reach) else 0)
        return found


class Surveyor:
    """Walks guarded state.

    ``reach``: classes (with what derives from them) whose objects belong to the
    state; of other objects only built-in containers do. ``exempt``: attributes of
    the root that are not followed.
    """

    def __init__(self, reach: Sequence[type], exempt: Collection[str] = ()) -> None:
        self._exempt = frozenset(exempt)
        self._kinds = _Kinds(tuple(reach))

    def can_belong(self, thing: object) -> bool:
        """Whether objects of this type can be part of guarded state at all."""
        return self._kinds[type(thing)] != 0

    def survey(self, root: object) -> dict[int, Spot]:
        """Every object of the state by its ``id``, the nearest path to each. The
        answer holds the objects, so the numbers stay theirs."""
        found = {address(root): Spot(root, type(root).__name__)}
        rest = list(found.values())
        kinds = self._kinds
        for spot in rest:
            thing, path = spot
            kind = kinds[type(thing)]
            if kind & _OBJECT or thing is root:
                for attributes in _attributes(thing):
                    for name, value in attributes:
                        if kinds[type(value)] and address(value) not in found:
                            if thing is root and name in self._exempt:
                                continue
                            new = found[address(value)] = Spot(value, f"{path}.{name}")
                            rest.append(new)
            if kind & _PARTS:
                for key, value in _items(thing):
                    if kinds[type(value)] and address(value) not in found:
                        new = found[address(value)] = Spot(value, f"{path}[{key_text(key)}]")
                        rest.append(new)
        return found


def _attributes(thing: object) -> Iterable[Iterable[tuple[str, object]]]:
    slots = _slots.get(type(thing))
    if slots is None:
        slots = _slots[type(thing)] = tuple(
            (name, value)
            for base in type(thing).__mro__
            for name, value in vars(base).items()
            if type(value) is MemberDescriptorType
        )
    try:
        own = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        own = {}
    return (own.items(), _filled(thing, slots)) if slots else (own.items(),)


_slots: dict[type, tuple[tuple[str, Any], ...]] = {}


def _filled(thing: object, slots: tuple[tuple[str, Any], ...]) -> list[tuple[str, object]]:
    found = []
    for name, slot in slots:
        try:
            found.append((name, slot.__get__(thing)))
        except AttributeError:
            continue
    return found


def _items(thing: Any) -> Iterable[tuple[object, object]]:
    kind = type(thing)
    if issubclass(kind, dict):
        return dict.items(thing)
    for base in (list, tuple, deque):
        if issubclass(kind, base):
            return enumerate(base.__iter__(thing))
    if issubclass(kind, set):
        return [(None, value) for value in set.__iter__(thing)]
    if issubclass(kind, frozenset):
        return [(None, value) for value in frozenset.__iter__(thing)]
    return ()


def key_text(key: object) -> str:
    """A key or index in short; ``...`` stands for one that has no plain text."""
    if type(key) in (str, int, bool, float, bytes):
        return repr(key)[:60]
    return "..."
