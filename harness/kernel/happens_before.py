"""The happens-before class of a run.

Two runs of one class differ only in the order of operations that commute: they are one
Mazurkiewicz trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import (
    ANY_ITEM,
    CHANGES,
    CONTAINER,
    ITEM,
    LOOKS,
    WHOLE,
    WHOLE_CONTAINER,
    Key,
    Location,
    locations,
    whole_conflicts,
)
from semafuzz.harness.kernel.task import RawEvent

_MASK: Final = 0xFFFFFFFFFFFFFFFF
_HALF: Final = 0x1FFFFFFFF
_ODD: Final = 0xBF58476D1CE4E5B9
"""Of the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014)."""


def happens_before_class(events: Sequence[RawEvent], table: Mapping[Key, Location] | None = None) -> int:
    """A number that equal Mazurkiewicz traces share (64 bits; different ones
    collide with the probability of a hash).

    Each operation on a conflicting location is hashed with its task, its number
    within the task, its place and the operations it directly depends on; the
    hashes are added, so the order of commuting operations does not matter. ``table``: the
    locations of these events, where they are known.
    """
    table = locations(events) if table is None else table
    shared = {key for key, location in table.items() if key[1] is not ANY_ITEM and location.conflicting}
    wholes = {key[0] for key in table if key[1] is WHOLE_CONTAINER and whole_conflicts(table, key)}
    last_write: dict[Key, int] = {}
    reads: dict[Key, int] = {}
    containers = {where: _Container() for where in wholes}
    counts: dict[int, int] = {}
    total = 0
    for kind, task, subject, name, site in events:
        if kind in LOOKS:
            reading = True
        elif kind in CHANGES or kind == op.IO:
            reading = False
        else:
            continue
        where = address(subject)
        container = containers.get(where) if kind in CONTAINER else None
        key: Key = (0, "io")
        if container is None and kind != op.IO:
            key = (where, ("item", name)) if kind in ITEM else (where, name)
            if key not in shared:
                continue
        number = counts[task.index] = counts.get(task.index, 0) + 1
        event = (task.index, number, site)
        if container is not None:
            value = container.whole(event, reading) if kind in WHOLE else container.item(event, name, reading)
        elif reading:
            value = hash((*event, last_write.get(key, 0)))
            reads[key] = reads.get(key, 0) + value
        else:
            value = hash((*event, last_write.get(key, 0), reads.pop(key, 0)))
            last_write[key] = value
        # Sums of hashes of small numbers would meet; those of well mixed ones do not.
        mixed = (value ^ (value >> 31 & _HALF)) * _ODD & _MASK
        total += mixed ^ mixed >> 29
    return total & _MASK


class _Container:
    """A container that is used as a whole and item by item: items commute with each other, not with the whole.
    Sums stand for sets of operations, so that their order does not matter."""

    __slots__ = ("_item_reads", "_item_writes", "_items", "_whole_reads", "_whole_write")

    def __init__(self) -> None:
        self._whole_write = 0
        self._whole_reads = 0
        self._item_writes = 0
        self._item_reads = 0
        self._items: dict[object, tuple[int, int]] = {}

    def item(self, event: tuple[int, int, int], name: object, reading: bool) -> int:
        """The hash of an access to one item."""
        write, read = self._items.get(name, (0, 0))
        if reading:
            value = hash((*event, write, self._whole_write))
            self._items[name] = write, read + value
            self._item_reads += value
        else:
            value = hash((*event, write, read, self._whole_write, self._whole_reads))
            self._items[name] = value, 0
            self._item_writes += value - write
            self._item_reads -= read
        return value

    def whole(self, event: tuple[int, int, int], reading: bool) -> int:
        """The hash of an access to all of it."""
        if reading:
            value = hash((*event, self._whole_write, self._item_writes))
            self._whole_reads += value
        else:
            value = hash((*event, self._whole_write, self._whole_reads, self._item_writes, self._item_reads))
            self.__init__()  # type: ignore[misc]
            self._whole_write = value
        return value
