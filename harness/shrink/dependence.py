"""Dependence within a run: the operations whose order matters.

A run is one order of a *Mazurkiewicz trace*: the partial order in which only operations
that depend on each other (``semafuzz.harness.kernel.dependence``) come one before the other. An order
that was derived from this must be run before it is believed: what is not recorded is missing
in the partial order too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.dependence import Reach, reach
from semafuzz.harness.kernel.locations import Key
from semafuzz.harness.kernel.task import RawEvent

Counts = dict[int, int]
"""How many events of each task, by its number."""


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
        writes: dict[Key, Counts] = {}
        touches: dict[Key, Counts] = {}
        for number, (kind, task, subject, name, _) in enumerate(events):
            index = task.index
            lane = self.lanes.get(index)
            if lane is None:
                lane = self.lanes[index] = []
            lane.append(number)
            key = (kind, address(subject), name)
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
                found.setdefault(address(subject), []).append(number)
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
        for number in self.locks.get(address(lock), ()):
            if first is None:
                first = number
            event = self.events[number]
            if self.positions[number] < done.get(event[1].index, 0):
                before = number
        if before is not None:
            return self.events[before][0] == op.ACQUIRE
        # A lock whose first event is its release was taken unseen.
        return first is not None and self.events[first][0] == op.RELEASE
