"""The simplest order of a run's own operations.

All orders that respect the partial order of a run are one execution for the program,
so the one with the fewest preemptions and switches can be computed without running
anything. It is a shortest path over how far each task has got. A task may always be
taken to run until its next operation needs one of another task: if an order leaves it
sooner and comes back, what was done then can be moved before the leaving, with no more
preemptions and no more switches. So a preemption comes to stand directly before the
operation for whose sake it is there, and one that separates only independent
operations vanishes. Where a task gives way by itself both ways are tried.

Where the graph is too large the first order found is taken: from a task that must wait
to the one for which it waits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.event_kinds import GIVES_WAY
from semafuzz.harness.kernel.task import RawEvent
from semafuzz.harness.schedulers.directed import Directive, Place
from semafuzz.harness.shrink.dependence import Order
from semafuzz.harness.shrink.size import Size, Turn
from semafuzz.harness.shrink.trials import Failing, Run, Trials

MOST_STATES = 2000
"""States of the graph that are looked at before any order will do."""
MOST_EVENTS = 20_000
"""Events of a run beyond which its order is left as it is."""
_FREE = frozenset({op.SLEEP, op.YIELD, op.TIMEOUT})
_MANY = 1 << 20

Done = tuple[int, ...]
"""How many events of each task, in the order of ``_Search.tasks``."""
_Leg = tuple[int, int]
"""``(task, how many of its events are done when it is left)``"""
_State = tuple[Size, Done, int, tuple[_Leg, ...], tuple[int, ...]]
"""The size so far, how far each task has got, which one ran last, the legs, and
the tasks that were interrupted and have not run since."""


def simplest_order(events: Sequence[RawEvent], than: Size) -> tuple[tuple[Turn, ...], tuple[Directive, ...]]:
    """The turns of the simplest equivalent order, and directives that ask for it.

    Nothing where all that are simpler than ``than`` were ruled out.
    """
    search = _Search(events)
    legs = search.shortest(than)
    if legs is None:
        legs = search.any_order()
    return _turns(legs), tuple(search.directives(legs))


def in_normal_form(value: Failing, trials: Trials) -> Failing:
    """``value`` in the simplest order of its own operations, where a run in that
    order fails too and is simpler: the run decides, not the theory."""
    return _ordered(value.run, value.size, trials) or value


def simpler_equivalent(run: Run, than: Size, trials: Trials) -> Failing | None:
    """A run of the operations of ``run`` that is simpler than ``than`` and fails."""
    return _ordered(run, than, trials)


def _ordered(run: Run, than: Size, trials: Trials) -> Failing | None:
    events = run.outcome.events
    if len(events) > MOST_EVENTS or not trials.affords():
        return None
    order, directives = simplest_order(events, than)
    if not order or order == than.turns:
        return None
    return trials.attempt(directives, than)


def _turns(legs: Sequence[_Leg]) -> tuple[Turn, ...]:
    found = []
    before: dict[int, int] = {}
    for task, done in legs:
        found.append((task, before.get(task, 0) - done))
        before[task] = done
    return tuple(found)


class _Search:
    def __init__(self, events: Sequence[RawEvent]) -> None:
        self._events = events
        self._order = Order(events)
        self.tasks = sorted(self._order.lanes)
        self._column = {task: column for column, task in enumerate(self.tasks)}
        self._lanes = [self._order.lanes[task] for task in self.tasks]
        self._goal: Done = tuple([len(lane) for lane in self._lanes])
        needs = self._order.needs
        self._stops = [
            [place for place, number in enumerate(lane) if number in needs or events[number][0] in _FREE]
            for lane in self._lanes
        ]
        self._needs = [
            {
                place: [(self._column[other], count) for other, count in sorted(needs[lane[place]].items())]
                for place in stops
                if lane[place] in needs
            }
            for lane, stops in zip(self._lanes, self._stops, strict=True)
        ]

    def shortest(self, than: Size) -> list[_Leg] | None:
        """The legs of the simplest order, none where it is not simpler than ``than``;
        None where the graph is too large."""
        start: Done = (0,) * len(self.tasks)
        heap: list[_State] = [(Size(0, -1, 0, ()), start, -1, (), ())]
        closed: set[tuple[Done, int]] = set()
        while heap and len(closed) < MOST_STATES:
            size, done, last, legs, left = heappop(heap)
            if done == self._goal:
                return list(legs)
            if (done, last) in closed:
                continue
            closed.add((done, last))
            interrupts = last >= 0 and self._interrupts(last, done)
            natural = last if interrupts else self._natural(last, done, left)
            if interrupts:
                left = (*left, last)
            for column in range(len(self.tasks)):
                if column == last or not self._ready(column, done[column], done):
                    continue
                for end in self._ends(column, done):
                    after = (*done[:column], end, *done[column + 1 :])
                    grown = Size(
                        size.preemptions + interrupts,
                        size.switches + 1,
                        size.directives + (column != natural),
                        (*size.turns, (self.tasks[column], done[column] - end)),
                    )
                    if (after, column) not in closed and grown[:3] <= than[:3]:
                        rest = tuple(other for other in left if other != column)
                        heappush(heap, (grown, after, column, (*legs, (self.tasks[column], end)), rest))
        return None if heap else []

    def any_order(self) -> list[_Leg]:
        """The legs of one order, made by always going where the waiting task waits."""
        done: Done = (0,) * len(self.tasks)
        legs: list[_Leg] = []
        column = 0
        while done != self._goal:
            while done[column] == self._goal[column] or not self._ready(column, done[column], done):
                if done[column] == self._goal[column]:
                    column = (column + 1) % len(self.tasks)
                else:
                    column = next(other for other, count in self._needs[column][done[column]] if done[other] < count)
            *_, end = self._ends(column, done)
            done = (*done[:column], end, *done[column + 1 :])
            legs.append((self.tasks[column], end))
        return legs

    def _ready(self, column: int, place: int, done: Done) -> bool:
        """Whether the order lets this event of the task come next."""
        if place >= self._goal[column]:
            return False
        return all(done[other] >= count for other, count in self._needs[column].get(place, ()))

    def _ends(self, column: int, done: Done) -> Iterator[int]:
        """Where a turn of the task can end: where it may give way, and, last, where it must."""
        start = done[column]
        stops = self._stops[column]
        for number in range(bisect_left(stops, start), len(stops)):
            place = stops[number]
            if not self._ready(column, place, done):
                yield place
                return
            if place > start and self._kind(column, place) in _FREE:
                yield place
        yield self._goal[column]

    def _kind(self, column: int, place: int) -> int:
        return self._events[self._lanes[column][place]][0]

    def _waits_for_lock(self, column: int, done: Done) -> bool:
        event = self._events[self._lanes[column][done[column]]]
        return event[0] == op.ACQUIRE and self._order.held(event[2], dict(zip(self.tasks, done, strict=True)))

    def _interrupts(self, column: int, done: Done) -> bool:
        """Whether leaving the task here takes a turn from it that it could use."""
        place = done[column]
        if place == self._goal[column]:
            return False
        kind = self._kind(column, place)
        return kind not in GIVES_WAY and kind not in _FREE and not self._waits_for_lock(column, done)

    def _natural(self, last: int, done: Done, interrupted: Sequence[int]) -> int:
        """The task that follows without a directive; -1 for none."""
        found, best = -1, (2, 0)
        for column, place in enumerate(done):
            if column == last or place == self._goal[column]:
                continue
            kind = self._kind(column, place)
            if kind in (op.BEGIN, op.JOIN) and not self._ready(column, place, done):
                continue
            if self._waits_for_lock(column, done):
                continue
            waits = int(kind in _FREE and kind != op.YIELD)
            rank = (waits, (self.tasks[column] - self._number(last) - 1) % _MANY)
            if column in interrupted and not waits:
                rank = (-1, -interrupted.index(column))
            if rank < best:
                found, best = column, rank
        return found

    def _number(self, column: int) -> int:
        return -1 if column < 0 else self.tasks[column]

    def directives(self, legs: Sequence[_Leg]) -> Iterator[Directive]:
        """What has to be said for these legs to be run."""
        left, done = -1, 0
        before: dict[int, int] = {}
        for task, end in legs:
            yield Directive(Place(left, done, 0), task)
            column = self._column[task]
            start = before.get(task, 0)
            for place in self._stops[column][bisect_left(self._stops[column], start + 1) :]:
                if place >= end:
                    break
                if self._kind(column, place) in _FREE:
                    yield Directive(Place(task, place, 0), task)
            before[task] = end
            left, done = task, end
