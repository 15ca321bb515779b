"""Locations: what an access touches, which accesses overlap, and which locations of a run
two tasks touched with a write among them.

A location is an attribute of an object, one item of a container, or the container as a
whole. Detectors, partial order reduction and reports ask here, so that they mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.fork_join import ForkJoin, Touch
from semafuzz.harness.kernel.task import RawEvent

ATTRIBUTE: Final = frozenset({op.READ, op.WRITE})
ITEM: Final = frozenset({op.READ_ITEM, op.WRITE_ITEM})
WHOLE: Final = frozenset({op.READ_ALL, op.WRITE_ALL})
CONTAINER: Final = ITEM | WHOLE
"""Accesses by their grain: an attribute, one item, all of a container, either of these."""

LOOKS: Final = frozenset({op.READ, op.READ_ITEM, op.READ_ALL, op.TRY})
CHANGES: Final = op.WRITES | {op.ACQUIRE, op.RELEASE, op.TIMEOUT}
"""Operations on data and locks that only look at their location, and that change it."""

Key = tuple[int, object]
"""``(id of the object, name)``: a location within one run, in which no object that was
touched is freed."""

WHOLE_CONTAINER: Final = "whole container"
ANY_ITEM: Final = "any item"
"""Names of the locations for a container as a whole, and for its items taken together."""


def key_of(kind: int, subject: object, name: object) -> Key:
    """The location of an access. An item and an attribute of one name are two."""
    if kind in ITEM:
        return address(subject), ("item", name)
    return address(subject), WHOLE_CONTAINER if kind in WHOLE else name


def coarse_key(kind: int, subject: object, name: object) -> Key:
    """The same with a container as one location, whatever part of it is touched."""
    return address(subject), None if kind in CONTAINER else name


def conflicts(kind: int, subject: object, name: object, event: RawEvent) -> bool:
    """Whether an access overlaps with that of ``event``, and one of the two writes."""
    other, _, whom, what, _ = event
    if whom is not subject or subject is None or other not in op.MEMORY:
        return False
    if kind not in op.WRITES and other not in op.WRITES:
        return False
    if kind in CONTAINER and other in CONTAINER:
        return name == what or name is None or what is None
    return name == what and kind not in CONTAINER and other not in CONTAINER


_NONE: Final[frozenset[int]] = frozenset()


class Location:
    """Who touched one location: bit sets of task numbers, and each touch by place and stretch."""

    __slots__ = ("readers", "touches", "tried", "writers")

    def __init__(self) -> None:
        self.readers = 0
        self.writers = 0
        self.touches: set[Touch] = set()
        self.tried = False

    @property
    def conflicting(self) -> bool:
        """Two tasks touched it and at least one of them wrote."""
        both = self.readers | self.writers
        return self.writers != 0 and both & (both - 1) != 0


class Locations(dict[Key, Location]):
    """Every location of a run. ``order``: what the starts and joins of the run order."""

    def __init__(self) -> None:
        super().__init__()
        self.order = ForkJoin()

    def meeting_sites(self, key: Key) -> set[int]:
        """The sites that touched a location, or the items of a container and the whole of it, where another
        task could do so at that moment, one of the two writing: not what main does before it starts a
        thread, and not what both do under one lock."""
        location = self[key]
        if key[1] is not WHOLE_CONTAINER:
            return self.order.meeting(location.touches) if location.conflicting else set()
        items = self.get((key[0], ANY_ITEM))
        if not whole_conflicts(self, key):
            return set()
        return self.order.meeting(location.touches if items is None else location.touches | items.touches)


def locations(events: Sequence[RawEvent]) -> Locations:
    """Every location of a run, those of locks too.

    Items of a container are locations of their own; operations on the whole
    container are entered under one more, and so are all its items together.
    """
    table = Locations()
    order = table.order
    stretches = order.stretches
    held: dict[int, frozenset[int]] = {}
    owners: dict[int, int] = {}
    for kind, task, subject, name, site in events:
        if kind in LOOKS:
            reading = True
        elif kind in CHANGES:
            reading = False
        else:
            if kind == op.SPAWN or kind == op.JOIN:
                order.add(kind, task, subject)
            continue
        where = address(subject)
        if kind in WHOLE:
            keys: tuple[Key, ...] = ((where, WHOLE_CONTAINER),)
        elif kind in ITEM:
            keys = ((where, ("item", name)), (where, ANY_ITEM))
        else:
            keys = ((where, name),)
        number = task.index
        locks = held.get(number, _NONE)
        if kind == op.RELEASE:
            # Anybody may release a plain lock.
            owner = owners.pop(where, number)
            held[owner] = held.get(owner, _NONE) - {where}
        elif kind == op.ACQUIRE:
            owners[where] = number
            held[number] = locks | {where}
        touch = (number, stretches.get(number, 0), site, not reading, locks)
        for key in keys:
            location = table.get(key)
            if location is None:
                location = table[key] = Location()
            if reading:
                location.readers |= 1 << number
            else:
                location.writers |= 1 << number
            location.touches.add(touch)
            if kind == op.TRY or kind == op.TIMEOUT:
                location.tried = True
    return table


def whole_conflicts(table: Mapping[Key, Location], key: Key) -> bool:
    """Whether an operation on a whole container meets another task's on it or its items."""
    whole = table[key]
    parts = table.get((key[0], ANY_ITEM))
    if parts is None:
        return whole.conflicting
    merged = Location()
    merged.readers, merged.writers = whole.readers | parts.readers, whole.writers | parts.writers
    if not merged.conflicting:
        return False
    only_items_write = whole.writers == 0 and whole.readers | parts.writers in (whole.readers, parts.writers)
    lone = parts.writers & (parts.writers - 1) == 0 and whole.readers == parts.writers
    return whole.conflicting or not (only_items_write and lone)
