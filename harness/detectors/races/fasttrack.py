"""Happens-before races of one execution.

The algorithm of FastTrack (Flanagan, Freund, "FastTrack: efficient and precise dynamic race detection", PLDI 2009):
vector clocks for tasks and locks, an epoch for the last write of a location, and for its reads an epoch as long as
one task reads, a clock when several do. Deviations: it goes over the record of an execution instead of running beside
it; a container is one location for operations on all of it, which meet those on each item; what the synchronisation
objects of the standard library keep for themselves (the flag of an ``Event``) orders instead of racing, since it is
read without a lock on purpose.

Precise for the execution that it sees: two accesses that it reports could have happened at the same time, with the
same results of all synchronisation before. It misses races of code that is not looked into, those that an execution
with another order of the same locks would show (another schedule shows them), attributes against an operation on the
whole instance, and all after the first one at a location between two places. A race is no defect by itself: under the
GIL a single read or write of an attribute or item is one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import ITEM, WHOLE, WHOLE_CONTAINER, Key, key_of
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent, task_of

_LIBRARY: Final = frozenset({"threading", "queue"})
Clock = dict[int, int]
"""The newest moment of each task that is known; a missing one is 0."""


class Access(NamedTuple):
    """One access: who, at which moment of theirs, where, the number of its event, and the locks held (by ``id``)."""

    task: int
    moment: int
    site: int
    event: int
    held: frozenset[int]


class Race(NamedTuple):
    """Two accesses that nothing orders, in the order of the execution; ``first_writes`` and ``second_writes``."""

    first: Access
    second: Access
    first_writes: bool
    second_writes: bool


@dataclass(slots=True)
class _Variable:
    """One location. ``reads``: the last read of each task since the last write; one entry is the epoch."""

    write: Access | None = None
    reads: dict[int, Access] = field(default_factory=dict)


class _Container:
    """The locations of one container: its items, and all of it."""

    __slots__ = ("items", "whole")

    def __init__(self) -> None:
        self.whole = _Variable()
        self.items: dict[object, _Variable] = {}


class FastTrack:
    """Reads the events of one execution. ``races``: the first of each two places at each location;
    ``locks``: every lock that was held, by ``id``, with a site that took it."""

    def __init__(self, events: Sequence[RawEvent]) -> None:
        self.races: list[Race] = []
        self.locks: dict[int, tuple[object, int]] = {}
        self._clocks: dict[int, Clock] = {}
        self._released: dict[object, Clock] = {}
        self._held: dict[int, frozenset[int]] = {}
        self._owners: dict[int, int] = {}
        self._variables: dict[Key, _Variable] = {}
        self._containers: dict[int, _Container] = {}
        self._met: set[tuple[int, int, int]] = set()
        self._over(events)

    def _over(self, events: Sequence[RawEvent]) -> None:
        for number, (kind, task, subject, name, site) in enumerate(events):
            index = task.index
            if kind <= op.WRITE_ALL:
                if site in _own or (site not in _others and _is_own(site)):
                    self._synchronise(kind, index, (address(subject), name))
                else:
                    self._access(kind, index, subject, name, site, number)
            elif kind == op.ACQUIRE or kind == op.RELEASE:
                self._lock(kind == op.ACQUIRE, index, subject, site)
            elif kind == op.SPAWN or kind == op.JOIN:
                self._start_or_join(kind, index, subject)

    def _clock(self, task: int) -> Clock:
        found = self._clocks.get(task)
        if found is None:
            found = self._clocks[task] = {task: 1}
        return found

    def _synchronise(self, kind: int, task: int, key: object) -> None:
        if kind in op.WRITES:
            self._release(task, key)
        else:
            self._acquire(task, key)

    def _release(self, task: int, key: object) -> None:
        clock = self._clock(task)
        known = self._released.get(key)
        # The flag of an event is written by many; a lock by its holder only, whose clock has all of it.
        self._released[key] = dict(clock) if known is None else _joined(known, clock)
        clock[task] += 1

    def _acquire(self, task: int, key: object) -> None:
        known = self._released.get(key)
        if known is not None:
            clock = self._clock(task)
            for other, moment in known.items():
                if clock.get(other, 0) < moment:
                    clock[other] = moment

    def _lock(self, taken: bool, task: int, lock: object, site: int) -> None:
        where = address(lock)
        if taken:
            self._acquire(task, where)
            self.locks.setdefault(where, (lock, site))
            self._owners[where] = task
            self._held[task] = self._held.get(task, frozenset()) | {where}
        else:
            self._release(task, where)
            # A plain lock may be given back by another task than took it.
            owner = self._owners.pop(where, task)
            self._held[owner] = self._held.get(owner, frozenset()) - {where}

    def _start_or_join(self, kind: int, task: int, subject: object) -> None:
        other = task_of(subject)
        if other is None:
            return
        mine, theirs = self._clock(task), self._clock(other.index)
        if kind == op.SPAWN:
            self._clocks[other.index] = _joined(theirs, mine)
            mine[task] += 1
        else:
            self._clocks[task] = _joined(mine, theirs)

    def _access(self, kind: int, task: int, subject: object, name: object, site: int, number: int) -> None:
        clock = self._clock(task)
        writes = kind in op.WRITES
        access = Access(task, clock[task], site, number, self._held.get(task, frozenset()))
        key = key_of(kind, subject, name)
        if kind not in ITEM and kind not in WHOLE:
            variable = self._variables.get(key)
            if variable is None:
                variable = self._variables[key] = _Variable()
            self._compare(variable, access, writes, clock)
            _note(variable, access, writes)
            return
        container = self._containers.get(key[0])
        if container is None:
            container = self._containers[key[0]] = _Container()
        if key[1] is WHOLE_CONTAINER:
            for other in (container.whole, *container.items.values()):
                self._compare(other, access, writes, clock)
            _note(container.whole, access, writes)
        else:
            own = container.items.get(key[1])
            if own is None:
                own = container.items[key[1]] = _Variable()
            for other in (own, container.whole):
                self._compare(other, access, writes, clock)
            _note(own, access, writes)

    def _compare(self, variable: _Variable, access: Access, writes: bool, clock: Clock) -> None:
        write = variable.write
        if write is not None and write.moment > clock.get(write.task, 0):
            self._report(write, access, True, writes)
        if writes:
            for read in variable.reads.values():
                if read.moment > clock.get(read.task, 0):
                    self._report(read, access, False, True)

    def _report(self, first: Access, second: Access, first_writes: bool, second_writes: bool) -> None:
        key = (first.site, second.site, first.task)
        if first.task != second.task and key not in self._met:
            self._met.add(key)
            self.races.append(Race(first, second, first_writes, second_writes))


_own: set[int] = set()
_others: set[int] = set()


def _is_own(site: int) -> bool:
    """Whether a place is in the standard library's synchronisation objects; known from then on."""
    found = SITES[site].module in _LIBRARY
    (_own if found else _others).add(site)
    return found


def _note(variable: _Variable, access: Access, writes: bool) -> None:
    if writes:
        variable.write = access
        if variable.reads:
            variable.reads = {}
    else:
        variable.reads[access.task] = access


def _joined(one: Clock, other: Clock) -> Clock:
    made = dict(one)
    for task, moment in other.items():
        if made.get(task, 0) < moment:
            made[task] = moment
    return made
