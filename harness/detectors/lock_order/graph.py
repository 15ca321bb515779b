"""The lock-order graph of one execution, and its cycles: deadlocks that did not happen but could.

The algorithm of Goodlock (Havelund, "Using runtime analysis to guide model checking of Java programs", SPIN 2000) with
what Bensalem and Havelund added against false alarms ("Dynamic deadlock analysis of multi-threaded programs", 2005):
a cycle counts only where its edges come from different tasks, where no lock is held at all of them (a *gate lock*),
and where starts and joins do not order them. An edge is a lock that is waited for without end while another is held:
what is only tried, or waited for with a time-out, closes no cycle.

It misses cycles of more than four locks, and of locks in code that is not looked into. It is wrong where something
else than locks, starts and joins keeps the tasks apart (an event, a queue, a flag): so each cycle is tried, and only
a schedule that deadlocks makes an error of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles.locks import WaiterLock
from semafuzz.harness.kernel.fork_join import ForkJoin
from semafuzz.harness.kernel.task import RawEvent

LONGEST: Final = 4
"""Locks of a cycle, at most."""


class Edge(NamedTuple):
    """A task takes ``wanted`` while it holds ``held``. Locks by ``id``; the sites at which each was taken;
    ``gates``: what else it holds; ``stretch``: of the task's life, see :mod:`semafuzz.harness.kernel.fork_join`."""

    task: int
    held: int
    wanted: int
    held_site: int
    wanted_site: int
    gates: frozenset[int]
    stretch: int


Cycle = tuple[Edge, ...]


class LockOrder:
    """Reads the events of one execution. ``edges``: each once; ``locks``: every lock that was taken, by ``id``, with
    a site that took it."""

    def __init__(self, events: Sequence[RawEvent]) -> None:
        self.edges: set[Edge] = set()
        self.locks: dict[int, tuple[object, int]] = {}
        self._order = ForkJoin()
        self._held: dict[int, dict[int, int]] = {}
        self._owners: dict[int, int] = {}
        tried: tuple[int, int] | None = None
        for kind, task, subject, _, site in events:
            index = task.index
            if kind == op.ACQUIRE:
                if not isinstance(subject, WaiterLock):
                    self._take(index, subject, site, waits=tried != (index, address(subject)))
            elif kind == op.RELEASE:
                self._give_back(index, address(subject))
            elif kind == op.SPAWN or kind == op.JOIN:
                self._order.add(kind, task, subject)
            tried = (index, address(subject)) if kind == op.TRY or kind == op.TIMEOUT else None

    def _take(self, task: int, lock: object, site: int, *, waits: bool) -> None:
        where = address(lock)
        self.locks.setdefault(where, (lock, site))
        held = self._held.setdefault(task, {})
        if where in held:
            return
        if waits and held:
            every = frozenset(held)
            stretch = self._order.stretches.get(task, 0)
            for other, other_site in held.items():
                self.edges.add(Edge(task, other, where, other_site, site, every - {other}, stretch))
        held[where] = site
        self._owners[where] = task

    def _give_back(self, task: int, where: int) -> None:
        # A plain lock may be given back by another task than took it.
        self._held.get(self._owners.pop(where, task), {}).pop(where, None)

    def cycles(self) -> Iterator[Cycle]:
        """Every cycle that could become a deadlock, each once: it begins with its smallest lock."""
        from_lock: dict[int, list[Edge]] = {}
        for edge in self.edges:
            from_lock.setdefault(edge.held, []).append(edge)
        for start in from_lock:
            yield from self._longer((), start, start, from_lock)

    def _longer(self, path: Cycle, start: int, here: int, from_lock: dict[int, list[Edge]]) -> Iterator[Cycle]:
        for edge in from_lock.get(here, ()):
            if edge.wanted < start or not all(self._beside(edge, other) for other in path):
                continue
            made = (*path, edge)
            if edge.wanted == start:
                if len(made) > 1:
                    yield made
            elif len(made) < LONGEST and all(edge.wanted != other.held for other in made):
                yield from self._longer(made, start, edge.wanted, from_lock)

    def _beside(self, one: Edge, other: Edge) -> bool:
        """Whether two edges can be taken at the same time."""
        if one.task == other.task or not one.gates.isdisjoint(other.gates):
            return False
        return not self._order.ordered((one.task, one.stretch), (other.task, other.stretch))
