"""Which locations two tasks touched with a write among them, learned from a run.

A site that touched such a location becomes *hot*: a scheduling point from then
on. And the happens-before class of a run: two runs with one class differ only
in the order of operations that commute (they are one Mazurkiewicz trace).
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.task import RawEvent

_READS = frozenset({op.READ, op.READ_ITEM, op.READ_ALL, op.TRY})
_WRITES = frozenset({op.WRITE, op.WRITE_ITEM, op.WRITE_ALL, op.ACQUIRE, op.RELEASE, op.TIMEOUT})
_ITEMS = frozenset({op.READ_ITEM, op.WRITE_ITEM})
_ALL = frozenset({op.READ_ALL, op.WRITE_ALL})
Key = tuple[int, object]
_WHOLE = "whole container"
_PARTS = "any item"


class Location:
    """Who touched one location: bit sets of task numbers, and from where."""

    __slots__ = ("readers", "sites", "tried", "writers")

    def __init__(self) -> None:
        self.readers = 0
        self.writers = 0
        self.sites: set[int] = set()
        self.tried = False

    @property
    def conflicting(self) -> bool:
        """Two tasks touched it and at least one of them wrote."""
        both = self.readers | self.writers
        return self.writers != 0 and both & (both - 1) != 0


def locations(events: Sequence[RawEvent]) -> dict[Key, Location]:
    """Every location of a run by ``(id of the object, name)``.

    Items of a container are locations of their own; operations on the whole
    container are entered under one more, and so are all its items together.
    """
    table: dict[Key, Location] = {}
    for kind, task, subject, name, site in events:
        if kind in _READS:
            reading = True
        elif kind in _WRITES:
            reading = False
        else:
            continue
        where = id(subject)
        if kind in _ALL:
            keys: tuple[Key, ...] = ((where, _WHOLE),)
        elif kind in _ITEMS:
            keys = ((where, ("item", name)), (where, _PARTS))
        else:
            keys = ((where, name),)
        for key in keys:
            found = table.get(key)
            if found is None:
                found = table[key] = Location()
            if reading:
                found.readers |= 1 << task.index
            else:
                found.writers |= 1 << task.index
            found.sites.add(site)
            if kind == op.TRY or kind == op.TIMEOUT:
                found.tried = True
    return table


def _whole_conflicts(table: dict[Key, Location], key: Key) -> bool:
    """Whether an operation on a whole container meets another task's on it or its items."""
    whole = table[key]
    parts = table.get((key[0], _PARTS))
    if parts is None:
        return whole.conflicting
    merged = Location()
    merged.readers, merged.writers = whole.readers | parts.readers, whole.writers | parts.writers
    if not merged.conflicting:
        return False
    only_items_write = whole.writers == 0 and whole.readers | parts.writers in (whole.readers, parts.writers)
    lone = parts.writers & (parts.writers - 1) == 0 and whole.readers == parts.writers
    return whole.conflicting or not (only_items_write and lone)


def heat(events: Sequence[RawEvent], hot: bytearray) -> bool:
    """Mark the sites of conflicting locations in ``hot``; True where it grew.

    A lock's release commutes with everything other tasks can then do, unless
    some task tries the lock without waiting for ever: only then is it marked.
    """
    table = locations(events)
    grew = False
    releases: dict[int, bool] = {}
    for key, location in table.items():
        name = key[1]
        if name is _PARTS:
            continue
        if name is _WHOLE:
            if not _whole_conflicts(table, key):
                continue
            sites = location.sites | table.get((key[0], _PARTS), location).sites
        elif location.conflicting:
            sites = location.sites
        else:
            continue
        for site in sites:
            if not hot[site] and _worth_a_point(site, location, releases, events):
                hot[site] = 1
                grew = True
    return grew


def _worth_a_point(site: int, location: Location, releases: dict[int, bool], events: Sequence[RawEvent]) -> bool:
    if location.tried:
        return True
    if not releases:
        releases[-1] = True
        for kind, _, _, _, where in events:
            if kind == op.RELEASE:
                releases[where] = True
    return site not in releases


def happens_before_class(events: Sequence[RawEvent]) -> int:
    """A number that equal Mazurkiewicz traces share (64 bits; different ones
    collide with the probability of a hash).

    Each operation on a conflicting location is hashed with its task, its number
    within the task, its place and the operations it directly depends on; the
    hashes are added, so the order of commuting operations does not matter.
    """
    table = locations(events)
    shared = {key for key, location in table.items() if key[1] is not _PARTS and location.conflicting}
    wholes = {key[0] for key in table if key[1] is _WHOLE and _whole_conflicts(table, key)}
    last_write: dict[Key, int] = {}
    reads: dict[Key, int] = {}
    counts: dict[int, int] = {}
    total = 0
    for kind, task, subject, name, site in events:
        if kind in _READS:
            reading = True
        elif kind in _WRITES or kind == op.IO:
            reading = False
        else:
            continue
        where = id(subject)
        key: Key
        if kind == op.IO:
            key = (0, "io")
        elif where in wholes and (kind in _ALL or kind in _ITEMS):
            key = (where, _WHOLE)
        else:
            key = (where, ("item", name)) if kind in _ITEMS else (where, name)
            if key not in shared:
                continue
        number = counts[task.index] = counts.get(task.index, 0) + 1
        if reading:
            value = hash((task.index, number, site, last_write.get(key, 0)))
            reads[key] = reads.get(key, 0) + value
        else:
            value = hash((task.index, number, site, last_write.get(key, 0), reads.pop(key, 0)))
            last_write[key] = value
        total += value
    return total & 0xFFFFFFFFFFFFFFFF
