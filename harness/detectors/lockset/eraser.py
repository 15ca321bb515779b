"""Candidate locksets: which lock seems to guard which location.

The algorithm of Eraser (Savage, Burrows, Nelson, Sobalvarro, Anderson, ACM TOCS 15(4),
1997): the candidates of a location are the locks that were held at every access since
a second task came to it; a location that tasks share and write, and that has no
candidate left, is guarded by none. Its states are kept: *exclusive* (one task only:
initialisation needs no lock), *shared* (others read), *shared and modified*. Only the
last is reported. Beyond the paper, the lock held at most accesses is suggested, the
accesses without it are named, and what a task does after it has joined every other
one that came to the location counts as its own business again.

It says what the code seems to mean, not that anything goes wrong. It is wrong where
accesses are ordered by other means than a lock: objects handed over through a queue
or an event, values written before a flag is set, threads that wait for each other at a
barrier; where a reader-writer lock or a semaphore does the guarding; and where a race is meant.
It misses locations that no execution shared, a first access without the lock by the
task that came first (the order of tasks decides), code that is not instrumented, and
whole-container operations against single items, which are locations of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from semafuzz.harness.detectors.lockset.lock_names import Names
from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.detectors.sampling import Sample
from semafuzz.harness.errors import documentation
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles.locks import WaiterLock
from semafuzz.harness.kernel.locations import key_of
from semafuzz.harness.kernel.outcome import Outcome, Severity
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.harness.sections.section import Row, Section

_LIBRARY: Final = frozenset({"threading", "queue"})


@dataclass(frozen=True, slots=True)
class Breach:
    """Accesses to a location, from one place, without the suggested lock."""

    place: str
    write: bool
    count: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the accesses to one location suggest.

    ``lock``: empty where none was ever held. ``severity``: ``note`` where the lock was
    held at every access that needs one, ``warning`` where some were made without it
    and no other lock is common to all. ``accesses``: those that tasks made while they
    shared the location; ``guarded``: those of them under the lock.
    """

    location: str
    lock: str
    severity: Severity
    accesses: int
    guarded: int
    breaches: tuple[Breach, ...] = ()


@dataclass(slots=True)
class _State:
    """One location in one execution.

    ``access``: the first access, to name it by. ``owner``: the task that came first;
    ``accesses``: those since another one came, each with the locks held, its site and
    whether it writes; ``tasks`` made them. ``modified``: one of these wrote. ``held``:
    how often each lock was held, at these and at those before.
    """

    access: RawEvent
    owner: int
    modified: bool = False
    tasks: set[int] = field(default_factory=set)
    accesses: list[tuple[frozenset[int], int, bool]] = field(default_factory=list)
    held: Counter[int] = field(default_factory=Counter)

    def candidates(self) -> frozenset[int]:
        """The locks that were held at every access since the location was shared."""
        return frozenset.intersection(*(locks for locks, _, _ in self.accesses))


@dataclass(slots=True)
class _Total:
    """What locations with one name came to, over all executions."""

    accesses: int = 0
    guarded: int = 0
    broken: bool = False
    locks: Counter[str] = field(default_factory=Counter)
    breaches: Counter[tuple[str, bool]] = field(default_factory=Counter)


class Lockset(Detector):
    """Learns from executions; no execution fails by it."""

    section = "locksets"

    def __init__(self) -> None:
        # What locks guard seldom depends on the schedule.
        self._sample = Sample()
        self._totals: dict[str, _Total] = {}

    def keep(self, outcome: Outcome) -> None:
        """Learn from the events of an execution."""
        if not self._sample.takes():
            return
        run = _Run(outcome.events)
        names = Names(outcome.events)
        for state in run.states.values():
            if state.modified:
                total = self._totals.setdefault(names.location(state.access), _Total())
                _add(total, state, {number: names.lock(*run.locks[number]) for number in state.held})

    def suggestions(self) -> list[Suggestion]:
        """What was learned so far, warnings first."""
        found = [_suggestion(location, total) for location, total in self._totals.items()]
        return sorted(found, key=lambda one: (one.severity == "note", one.location))

    def report(self) -> Section:
        """The same as a section."""
        return Section(
            self.section,
            f"Locks as used in {self._sample.looked:,} executions (advice: see {documentation('lock-discipline')})",
            self._sample.looked,
            tuple(_row(one) for one in self.suggestions()),
            empty="no location was written while tasks shared it",
        )


def _row(one: Suggestion) -> Row:
    share = f"{one.guarded:,} of {one.accesses:,} accesses"
    if one.severity == "note":
        sentence = f"{one.location} is guarded by {one.lock} ({share})"
    elif one.lock:
        sentence = f"{one.location} is guarded by {one.lock} at {share} only"
    else:
        sentence = f"{one.location} is shared and written without any lock"
    details = tuple(f"{'written' if breach.write else 'read'} without it: {breach.place}" for breach in one.breaches)
    return Row((sentence,), one.severity, details if one.severity == "warning" else (), asdict(one))


def _add(total: _Total, state: _State, texts: dict[int, str]) -> None:
    candidates = state.candidates()
    likely = min(candidates or state.held, key=lambda number: (-state.held[number], texts[number]), default=-1)
    without = [(site, write) for locks, site, write in state.accesses if likely not in locks]
    total.accesses += len(state.accesses)
    total.guarded += len(state.accesses) - len(without)
    total.locks[texts.get(likely, "")] += len(state.accesses)
    if not candidates:
        total.broken = True
        total.breaches.update((SITES[site].place(), write) for site, write in without)


def _suggestion(location: str, total: _Total) -> Suggestion:
    known = {text: count for text, count in total.locks.items() if text}
    lock = min(known, key=lambda text: (-known[text], text), default="")
    breaches = [Breach(place, write, count) for (place, write), count in total.breaches.items()]
    breaches.sort(key=lambda one: (not one.write, -one.count, one.place))
    severity: Severity = "warning" if total.broken else "note"
    return Suggestion(location, lock, severity, total.accesses, total.guarded, tuple(breaches))


class _Run:
    """The states of all locations in one execution, and the locks by number, each
    with a place that took it."""

    def __init__(self, events: Sequence[RawEvent]) -> None:
        self.states: dict[tuple[int, object], _State] = {}
        self.locks: dict[int, tuple[object, int]] = {}
        self._numbers: dict[object, int] = {}
        self._holders: dict[int, int] = {}
        self._held: dict[int, frozenset[int]] = {}
        self._joined: dict[int, frozenset[int]] = {}
        for event in events:
            kind = event[0]
            if kind in op.MEMORY:
                self._access(event)
            elif kind == op.ACQUIRE or kind == op.RELEASE:
                if not isinstance(event[2], WaiterLock):
                    self._lock(kind == op.ACQUIRE, event, address(event[2]), event[2])
            elif kind == op.ENTER or kind == op.EXIT:
                self._lock(kind == op.ENTER, event, event[3], event[3])
            elif kind == op.JOIN or kind == op.SPAWN:
                self._order(kind, event[1], event[2])

    def _lock(self, taken: bool, event: RawEvent, key: object, lock: object) -> None:
        number = self._numbers.setdefault(key, len(self._numbers))
        self.locks.setdefault(number, (lock, event[4]))
        task = event[1].index
        if taken:
            self._holders[number] = task
            self._held[task] = self._held.get(task, frozenset()) | {number}
        else:
            # A plain lock may be given back by another task than took it.
            holder = self._holders.pop(number, task)
            self._held[holder] = self._held.get(holder, frozenset()) - {number}

    def _order(self, kind: int, task: Task, other: object) -> None:
        """A task that was joined is over for who joined it, and for whom that one starts."""
        if isinstance(other, Task):
            mine = self._joined.get(task.index, frozenset())
            if kind == op.JOIN:
                self._joined[task.index] = mine | {other.index} | self._joined.get(other.index, frozenset())
            else:
                self._joined[other.index] = mine

    def _access(self, event: RawEvent) -> None:
        kind, task, subject, name, site = event
        if SITES[site].module in _LIBRARY:
            return
        key = key_of(kind, subject, name)
        state = self.states.get(key)
        if state is None:
            state = self.states[key] = _State(event, task.index)
        held = self._held.get(task.index, frozenset())
        state.held.update(held)
        over = self._joined.get(task.index, frozenset())
        if not state.accesses and (task.index == state.owner or state.owner in over):
            state.owner = task.index
            return
        others = state.tasks - {task.index}
        if others and others <= over:
            return
        write = kind in op.WRITES
        state.modified |= write
        state.tasks.add(task.index)
        state.accesses.append((held, site, write))
