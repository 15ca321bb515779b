"""Which operations of a run have an order that matters.

A run is one order of a *Mazurkiewicz trace*: two neighbouring operations of different
tasks that do not depend on each other can be swapped, and the program cannot tell. Two
operations depend on each other when they belong to one task, or when

- they are on one location and one of them writes: an attribute, one item of a
  container, or a whole container against itself and any item of it;
- they are on one lock (two failed tries excepted), or wait for its release;
- one starts a task, begins it or ends it, and the other begins, ends, joins or
  gave up joining that task;
- both read the clock or let time pass;
- both are input or output. What they do is not seen: two calls may reach one row of
  one database, so each pair counts.

As ``harness.kernel.conflicts`` has it, plus the last three, which the happens-before
classes need not keep apart. What is not recorded (a library's state, a generator shared
between tasks) is missing here too: an order that was derived from this must be run
before it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from harness.kernel import operations as op
from harness.kernel.task import RawEvent

Cell = tuple[int, object]
Counts = dict[int, int]
"""How many events of each task, by its number."""

_READING = frozenset({op.READ, op.READ_ITEM, op.READ_ALL, op.TRY, op.JOIN})
_WRITING = op.WRITES | {op.ACQUIRE, op.RELEASE, op.TIMEOUT, op.SPAWN, op.BEGIN, op.END}
_ITEM = frozenset({op.READ_ITEM, op.WRITE_ITEM})
_WHOLE = frozenset({op.READ_ALL, op.WRITE_ALL})
_TIME = frozenset({op.SLEEP, op.CLOCK, op.TIMEOUT})
_ALL_ITEMS = "all items"
_CONTAINER = "the container"
_CLOCK: Cell = (0, "clock")
_OUTSIDE: Cell = (0, "outside")


class Reach(NamedTuple):
    """What an operation looks at and leaves its mark on; empty where nothing
    depends on it."""

    seen: tuple[Cell, ...] = ()
    marked: tuple[Cell, ...] = ()
    writes: bool = False


_NOTHING = Reach()


def reach(kind: int, subject: object, name: object) -> Reach:
    """The reach of an operation."""
    if kind == op.IO:
        return Reach((_OUTSIDE,), (_OUTSIDE,), True)
    where = id(subject)
    if kind in _ITEM:
        item = (where, ("item", name))
        return Reach((item, (where, _CONTAINER)), (item, (where, _ALL_ITEMS)), kind == op.WRITE_ITEM)
    if kind in _WHOLE:
        container = (where, _CONTAINER)
        return Reach((container, (where, _ALL_ITEMS)), (container,), kind == op.WRITE_ALL)
    cells: tuple[Cell, ...] = ()
    if kind in _READING or kind in _WRITING:
        cells = ((where, name),)
    if kind in _TIME:
        cells = (*cells, _CLOCK)
    return Reach(cells, cells, kind not in _READING) if cells else _NOTHING


class Order:
    """The partial order of a run.

    ``lanes``: by task number, the numbers of its events. ``needs``: by event, how
    many events of which other tasks must come before it; only direct needs, and
    none where there is none. ``reaches``: by event.
    """

    def __init__(self, events: Sequence[RawEvent]) -> None:
        self.events = events
        self.lanes: dict[int, list[int]] = {}
        self.needs: dict[int, Counts] = {}
        self.reaches: list[Reach] = []
        known: dict[tuple[int, int, object], Reach] = {}
        writes: dict[Cell, Counts] = {}
        touches: dict[Cell, Counts] = {}
        for number, (kind, task, subject, name, _) in enumerate(events):
            index = task.index
            lane = self.lanes.get(index)
            if lane is None:
                lane = self.lanes[index] = []
            lane.append(number)
            key = (kind, id(subject), name)
            found = known.get(key)
            if found is None:
                found = known[key] = reach(kind, subject, name)
            self.reaches.append(found)
            seen, marked, writing = found
            if not seen:
                continue
            before = touches if writing else writes
            need: Counts = {}
            for cell in seen:
                counts = before.get(cell)
                if counts is not None:
                    for other, count in counts.items():
                        if other != index and need.get(other, 0) < count:
                            need[other] = count
            if need:
                self.needs[number] = need
            for cell in marked:
                for table in (touches, writes) if writing else (touches,):
                    counts = table.get(cell)
                    if counts is None:
                        table[cell] = {index: len(lane)}
                    else:
                        counts[index] = len(lane)

    @cached_property
    def locks(self) -> dict[int, list[int]]:
        """By the identity of a lock, the numbers of its acquires and releases."""
        found: dict[int, list[int]] = {}
        for number, (kind, _, subject, _, _) in enumerate(self.events):
            if kind in (op.ACQUIRE, op.RELEASE):
                found.setdefault(id(subject), []).append(number)
        return found

    @cached_property
    def states(self) -> list[int]:
        """By number of events: a number that beginnings of runs share when they are the
        same operations in equivalent orders (64 bits; others collide as hashes do).

        It names no object, so beginnings of different runs of one program compare.
        """
        total = 0
        found = [0]
        for number, event in enumerate(self.events):
            need = self.needs.get(number)
            position = self.positions[number]
            total += hash((event[1].index, position, tuple(sorted(need.items())) if need else ()))
            found.append(total & 0xFFFFFFFFFFFFFFFF)
        return found

    @cached_property
    def positions(self) -> list[int]:
        """By event, how many events of its task come before it."""
        found = [0] * len(self.events)
        for lane in self.lanes.values():
            for position, number in enumerate(lane):
                found[number] = position
        return found

    def held(self, lock: object, done: Mapping[int, int]) -> bool:
        """Whether the lock is held once so many events of each task are done."""
        before: int | None = None
        first: int | None = None
        for number in self.locks.get(id(lock), ()):
            if first is None:
                first = number
            event = self.events[number]
            if self.positions[number] < done.get(event[1].index, 0):
                before = number
        if before is not None:
            return self.events[before][0] == op.ACQUIRE
        # A lock whose first event is its release was taken unseen.
        return first is not None and self.events[first][0] == op.RELEASE


class Summary:
    """What a number of operations reach, taken together."""

    def __init__(self) -> None:
        self._touched: set[Cell] = set()
        self._written: set[Cell] = set()

    def add(self, one: Reach) -> None:
        """Add an operation."""
        self._touched.update(one.marked)
        if one.writes:
            self._written.update(one.marked)

    def meets(self, one: Reach) -> bool:
        """Whether an operation depends on one of these."""
        cells = self._touched if one.writes else self._written
        return any(cell in cells for cell in one.seen)
