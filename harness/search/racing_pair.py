"""The two code places behind a failure: who was interrupted where, and by what.

A run that fails has preemptions. For each, the operation that was put off is
compared with what the other tasks did meanwhile; two operations on one location,
one of them a write, are a pair. The pair of the last preemption that has one is
shown, of the program if there is one there, else of the standard library: in a
run with the fewest preemptions each of them is needed.

It can be wrong: it names places that conflict at a preemption, which is not yet a
proof that they cause the failure; and where a failure needs no preemption (an
order of whole operations suffices) it names the last conflict between two tasks that no
start and no join orders.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.fork_join import ForkJoin
from semafuzz.harness.kernel.locations import conflicts
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.kernel.ownership import first_component
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent

_LOOK_BACK = 2000


@dataclass(frozen=True, slots=True)
class RacingPair:
    """Two conflicting operations: their sites, and their numbers in the event
    stream (-1 for an operation that was announced and put off)."""

    sites: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    tasks: tuple[int, ...] = ()


def pair_of(outcome: Outcome, failure: Failure) -> RacingPair:
    """The operations behind ``failure``: those that it names itself, or else the racing pair."""
    if failure.steps:
        return RacingPair(failure.sites, failure.steps, tuple(outcome.events[step][1].index for step in failure.steps))
    return racing_pair(outcome)


def racing_pair(outcome: Outcome) -> RacingPair:
    """The pair, with the interrupted task's operation first; empty for none. One in the standard library stands for
    the failure only where no preemption has another."""
    in_library: RacingPair | None = None
    for pair in racing_pairs(outcome):
        if not all(first_component(SITES[site].module) in sys.stdlib_module_names for site in pair.sites):
            return pair
        in_library = in_library or pair
    return in_library or _last_conflict(outcome.events)


def racing_pairs(outcome: Outcome) -> Iterator[RacingPair]:
    """The pairs of all preemptions that have one, from the last on: in a run with the fewest preemptions each has a
    part in the failure."""
    events = outcome.events
    accesses = _Accesses(events)
    for decision in reversed(outcome.decisions):
        if not decision.preemption:
            continue
        start, victim = decision.step, decision.current
        end = next((i for i in range(start, len(events)) if events[i][1].index == victim), len(events))
        kind, subject, name, site = decision.pending[decision.enabled.index(victim)]
        found = _put_off(events, start, end, victim, (kind, subject, name, site)) or accesses.pair(victim, start, end)
        if found is not None:
            yield found


def _put_off(
    events: list[RawEvent], start: int, end: int, victim: int, pending: tuple[int, object, object, int]
) -> RacingPair | None:
    """The operation that was put off, with the first of others meanwhile that conflicts with it."""
    kind, subject, name, site = pending
    for step in range(start, end) if site else ():
        event = events[step]
        if event[4] and conflicts(kind, subject, name, event):
            step = _same_element(events, (kind, subject, name), step, end, victim)
            return RacingPair((site, events[step][4]), (start, step), (victim, events[step][1].index))
    return None


def _same_element(
    events: list[RawEvent], operation: tuple[int, object, object], first: int, end: int, victim: int
) -> int:
    """The first step of others that touches the very element that ``operation`` does, where at step ``first`` a
    container only got or lost another: that elements come and go says little. Else ``first``."""
    kind, subject, name = operation
    if kind not in (op.READ_ITEM, op.WRITE_ITEM) or not _concerns_an_element(events, first):
        return first
    for step in range(first, end):
        event = events[step]
        if event[4] and event[1].index != victim and event[3] == name and conflicts(kind, subject, name, event):
            return step
    return first


def _concerns_an_element(events: list[RawEvent], step: int) -> bool:
    """Whether it changes one element. Else, as with ``clear``, it is the whole that is changed."""
    return events[step][0] == op.WRITE_ITEM or _element_of(events, step) is not None


def _element_of(events: list[RawEvent], step: int) -> RawEvent | None:
    """The write of an element after which step ``step`` says that its container has one more or less."""
    kind, task, subject, _, site = events[step]
    before = events[step - 1] if kind == op.WRITE_ALL and step else None
    if before is None or before[0] != op.WRITE_ITEM or (before[1], before[2], before[4]) != (task, subject, site):
        return None
    return before


class _Accesses:
    """Where each task touched each object, so that a long run is searched once and not
    once for each of its preemptions."""

    def __init__(self, events: list[RawEvent]) -> None:
        self._events = events
        self._all: dict[tuple[int, int], list[int]] = {}
        self._writes: dict[tuple[int, int], list[int]] = {}
        for step, (kind, task, subject, _, site) in enumerate(events):
            if site and kind in op.MEMORY:
                key = (task.index, address(subject))
                self._all.setdefault(key, []).append(step)
                if kind in op.WRITES:
                    self._writes.setdefault(key, []).append(step)

    def pair(self, victim: int, start: int, end: int) -> RacingPair | None:
        """What :meth:`nearest` finds, as a pair."""
        found = self.nearest(victim, start, end)
        if found is None:
            return None
        before, step = found = self._elements(found, end)
        events = self._events
        return RacingPair((events[before][4], events[step][4]), found, (victim, events[step][1].index))

    def _elements(self, found: tuple[int, int], end: int) -> tuple[int, int]:
        """The two steps that touch one element of a container, where those found change which elements it has."""
        before, first = found
        element = _element_of(self._events, before)
        if element is None:
            return found
        kind, task, subject, name, _ = element
        step = _same_element(self._events, (kind, subject, name), first, end, task.index)
        return found if step == first else (before - 1, step)

    def nearest(self, victim: int, start: int, end: int) -> tuple[int, int] | None:
        """The victim's last access before ``start``, not further back than
        ``_LOOK_BACK`` events, that conflicts with one between ``start`` and ``end``;
        and the first of those."""
        events = self._events
        found: tuple[int, int] | None = None
        for step in range(start, end):
            kind, _, subject, name, site = events[step]
            if not site or kind not in op.MEMORY:
                continue
            earlier = (self._all if kind in op.WRITES else self._writes).get((victim, address(subject)), [])
            least = start - _LOOK_BACK if found is None else found[0]
            for position in range(bisect_left(earlier, start) - 1, -1, -1):
                before = earlier[position]
                if before <= max(least, 0):
                    break
                if conflicts(kind, subject, name, events[before]):
                    found = (before, step)
                    break
        return found


def _last_conflict(events: list[RawEvent]) -> RacingPair:
    """The last conflict of two tasks that no start and no join orders."""
    last: dict[tuple[int, object], int] = {}
    stretches: dict[int, tuple[int, int]] = {}
    order = ForkJoin()
    found = RacingPair()
    for step, event in enumerate(events):
        kind, task, subject, name, site = event
        if kind == op.SPAWN or kind == op.JOIN:
            order.add(kind, task, subject)
        if kind not in op.MEMORY or not site:
            continue
        stretches[step] = task.index, order.stretches.get(task.index, 0)
        key = (address(subject), name)
        number = last.get(key)
        previous = None if number is None else events[number]
        if previous is not None and previous[1] is not task and conflicts(kind, subject, name, previous):
            pair = RacingPair((previous[4], site), (number or 0, step), (previous[1].index, task.index))
            found = found if order.ordered(stretches[number or 0], stretches[step]) else pair
        if previous is None or kind in op.WRITES or previous[0] not in op.WRITES:
            last[key] = step
    return found


def operations_under_way(outcome: Outcome, pair: RacingPair) -> tuple[str, ...]:
    """The target's operations in whose midst the pair's operations stand: what
    the target noted as begun and not yet ended by those tasks at those steps."""
    found = []
    for step, number in zip(pair.steps, pair.tasks, strict=True):
        for event in reversed(outcome.events[:step]):
            if event[0] == op.OPERATION and event[1].index == number:
                found.append(str(event[3]))
                break
    return tuple(found)
