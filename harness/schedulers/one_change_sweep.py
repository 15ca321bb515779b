"""A sweep: every schedule with one change of priority where a task meets the world.

Each task in turn goes first, to its end; then each is left at each such place of its own, where
all others go before it. Random priorities with one change point (Burckhardt, Kothari, Musuvathi,
Nagarakatte, ASPLOS 2010, for d = 2), drawn by nobody: as many executions as the tasks have places
together, after which there is none left. The tasks take turns and the places come by halving, so
that a sweep which is cut has been everywhere a little: next is the middle of the longest stretch
that was not tried.

Places are those at which a task takes a lock, waits, sleeps or leaves the process. Blind
to what needs a switch at an access to memory, or a second change of priority. Of more than
two tasks only one order of the others is tried, so that it is no proof there either.
Whoever knows calls at which nothing changes for others can have them skipped.

Where accesses to memory are seen, of equivalent schedules one is run (Mazurkiewicz,
"Trace theory", 1987; the step over places at which nothing depends on what the others did is
that of Godefroid's persistent sets, for one change of priority). Most often the others come to a
lock that the first task holds: as long as it holds it, it is all the same where it was left.
What no event tells of, such as the state of a library, can make schedules differ that are taken
for equivalent.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.dependence import Summary, reach
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Pending, RawEvent, Task
from semafuzz.harness.schedulers.priorities import PriorityScheduler


@dataclass(slots=True)
class Places:
    """The places of one task, by their numbers from 1: how many it came to at ``most``, those that need not
    be ``tried`` any more, and ``positions``: how many of its events came before each."""

    most: int = 0
    tried: set[int] = field(default_factory=set)
    positions: list[int] = field(default_factory=list)

    def next(self) -> int:
        """The middle of the longest stretch that was not tried; 0 where there is none."""
        longest = length = middle = 0
        for number in range(1, self.most + 2):
            if number <= self.most and number not in self.tried:
                length += 1
            else:
                if length > longest:
                    longest, middle = length, number - 1 - length // 2
                length = 0
        return middle


class OneChangeSweep(PriorityScheduler):
    """Gives the first task up at one place after the other, then the next task is first."""

    name = "sweep"

    def __init__(self, commutes: Callable[[str], bool] = lambda call: False, sees_memory: bool = False) -> None:
        """``commutes``: whether a task need not be left at the I/O point with this name.
        ``sees_memory``: whether events tell of every access that matters, so that equivalent
        schedules can be told."""
        self._commutes, self.sees_memory = commutes, sees_memory
        self.met = False
        """Whether in some execution it mattered where a task was left, as far as events tell."""
        self._first = self._change = self._places = 0
        self._sweeps: list[Places] = []
        self._left_at: int | None = None
        self._steps: list[int] = []
        super().__init__()

    def begin(self, execution: int) -> bool:
        """Move to the next place; False when every task had each of its own."""
        if execution == 0:
            self._sweeps, self._first = [], 0
        if len(self._sweeps) < self._tasks:
            self._first, self._change = len(self._sweeps), 0
            self._sweeps.append(Places())
        else:
            for turn in range(self._first + 1, self._first + 1 + self._tasks):
                sweep = self._sweeps[turn % self._tasks]
                place = sweep.next()
                if place:
                    break
            else:
                return False
            self._first, self._change = turn % self._tasks, place
            sweep.tried.add(place)
        self._places = 0
        self._left_at, self._steps = None, []
        self._start()
        return True

    @property
    def serial_task(self) -> int | None:
        """The task that goes first to its end in this execution; None where one is left on its way."""
        return None if self._change else self._first

    def is_serial_done(self) -> bool:
        """Whether each task has gone first to its end."""
        return len(self._sweeps) >= self._tasks

    def _first_rank(self, task: Task) -> int:
        return 0 if task.index == self._first else task.index + 1

    def _meets(self, current: Task, step: int) -> None:
        if current.index == self._first and self._is_place(current.pending):
            self._places += 1
            sweep = self._sweeps[self._first]
            sweep.most = max(sweep.most, self._places)
            self._steps.append(step)
            if self._places == self._change:
                self._left_at = step
                self._drop(current)

    def _is_place(self, pending: Pending) -> bool:
        kind, _, name, _ = pending
        return kind not in op.MEMORY and not self._is_passed_over(kind, name)

    def _is_passed_over(self, kind: int, name: object) -> bool:
        return kind == op.IO and self._commutes(str(name))

    def end(self, outcome: Outcome) -> None:
        """Learn where the places of the first task are, and up to which of them it could have
        been left with the same result."""
        if not self.sees_memory:
            return
        sweep = self._sweeps[self._first]
        if self._change == 0:
            sweep.positions = self._positions_of(outcome.events)
        elif self._left_at is not None:
            since, reached = self._unaffected(outcome, self._left_at)
            alike = [number for number, position in enumerate(sweep.positions, 1) if since <= position <= reached]
            sweep.tried.update(alike)

    def _own(self, events: Sequence[RawEvent]) -> list[int]:
        """The numbers of the first task's events."""
        return [number for number, event in enumerate(events) if event[1].index == self._first]

    def _positions_of(self, events: Sequence[RawEvent]) -> list[int]:
        """How many events of the first task come before each of its places."""
        own = self._own(events)
        return [bisect.bisect_left(own, step) for step in self._steps]

    def _unaffected(self, outcome: Outcome, left_at: int) -> tuple[int, int]:
        """The stretch of the first task around where it was left in which nothing depends on what the
        others did then, or on what they wait for: how many of its events come before its begin and its end."""
        events = outcome.events
        own = self._own(events)
        before = bisect.bisect_left(own, left_at)
        resumed = own[before] if before < len(own) else len(events)
        others = Summary()
        for kind, _, subject, name, _ in (*events[left_at:resumed], *_next_of_others(outcome, resumed, self._first)):
            if not self._is_passed_over(kind, name):
                others.add(reach(kind, subject, name))

        def is_alike(number: int, neighbour: int) -> bool:
            kind, _, subject, name, _ = events[number]
            if number != neighbour:
                return False
            return self._is_passed_over(kind, name) or not others.meets(reach(kind, subject, name))

        since = reached = before
        while since and is_alike(own[since - 1], left_at - 1 - (before - since)):
            since -= 1
        while reached < len(own) and is_alike(own[reached], resumed + reached - before):
            reached += 1
        self.met = self.met or since > 0 or reached < len(own)
        return since, reached


def _next_of_others(outcome: Outcome, since: int, first: int) -> list[RawEvent]:
    """What each other task does next, which it waits for at that time, or for ever. Of
    several others, who waits lets the next one go before it."""
    found: dict[int, RawEvent] = {}
    for event in outcome.events[since:]:
        if event[1].index != first:
            found.setdefault(event[1].index, event)
    for task in outcome.tasks:
        if task.index != first and task.index not in found and not task.done:
            kind, subject, name, site = task.pending
            found[task.index] = (kind, task, subject, name, site)
    return list(found.values())
