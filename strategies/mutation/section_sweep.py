"""A sweep over what a lost lock lets happen: the places in a method without its lock, and in sections of others.

With the lock, the method and a section of another task under it came one after the other. Without it each can be left
in the midst of the other: the task with the method at a place in it, where the others go before it; or else it goes up
to the method, another task up to a place in a section, and the method through. The places are the method's accesses to
what the section touches and the section's accesses to what the method touches, where one of the two writes, and the
calls of both that leave the process. They come by halving, so that a sweep which is cut has been everywhere a little.

Any lock that is held makes a section: one of another lock than the lost one costs executions, and no more. Blind to
places that only come about between others, and to what takes a third change of priority.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.locations import Key
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.harness.schedulers.one_change_sweep import Places
from semafuzz.harness.schedulers.priorities import PriorityScheduler
from semafuzz.harness.schedulers.touches import CLOSING, OPENING, Touch, touches_of


@dataclass(slots=True)
class _Learned:
    """Of a ``task``, in the run in which ``base`` went first to its end, which may have started it. By how many of its
    own events came before: where it ``enters`` the method, -1 where it does not; the places ``inside`` of it, and those
    ``under`` a lock. ``changes``: how many inside change what others touch, or leave the process;
    ``meetings``: the places in the code at which others meet the method, as numbers of sites."""

    task: int
    base: int
    enters: int
    inside: list[int]
    under: list[int]
    changes: int
    meetings: frozenset[int]
    inside_places: Places = field(default_factory=Places)
    under_places: Places = field(default_factory=Places)

    def __post_init__(self) -> None:
        self.inside_places.most, self.under_places.most = len(self.inside), len(self.under)


class SectionSweep(PriorityScheduler):
    """``method``: the one without its lock, as CLASS.METHOD; its calls must be events. ``commutes``: whether nothing
    changes for others at the call with this name. Makes no run by itself from which it could learn."""

    name = "section-sweep"

    def __init__(self, method: str, commutes: Callable[[str], bool] = lambda call: False) -> None:
        super().__init__()
        self._method, self._commutes = method, commutes
        self._learned: dict[tuple[int, int], _Learned] = {}
        self._turn = 0
        self._ranks: dict[int, int] = {}
        self._stops: dict[int, int] = {}
        self._released = -1
        self._events: Sequence[RawEvent] = ()
        self._counted = 0
        self._done: Counter[int] = Counter()

    @property
    def places(self) -> int:
        """How many there are, as far as was learned."""
        comes = any(one.enters >= 0 for one in self._learned.values())
        return sum(len(one.inside) + len(one.under) * comes for one in self._learned.values())

    @property
    def changes(self) -> bool:
        """Whether the method changes something that a section of another task touches, or leaves the process."""
        return any(one.changes for one in self._learned.values())

    @property
    def meetings(self) -> frozenset[int]:
        """The sites at which a section of another task touches what the method touches, or leaves the process."""
        return frozenset().union(*(one.meetings for one in self._learned.values()))

    def learn(self, base: int, outcome: Outcome) -> None:
        """Take in a run in which this task went first to its end."""
        self._tasks = max(self._tasks, len(outcome.tasks))
        seen = _Sections(outcome.events, self._method)
        for task in range(len(outcome.tasks)):
            if task == base or seen.comes(task):
                self._learned[task, base] = _learned_of(seen, task, base, self._commutes)

    def begin(self, execution: int) -> bool:
        """Move to the next place; False when each was tried."""
        for _ in range(2 * len(self._learned)):
            self._turn += 1
            learned = self._learned[sorted(self._learned)[self._turn // 2 % len(self._learned)]]
            if self._plan_inside(learned) if self._turn % 2 else self._plan_under(learned):
                self._start()
                self._counted, self._done = 0, Counter()
                return True
        return False

    def _plan_inside(self, learned: _Learned) -> bool:
        """The task is left in the method, and the others go before it."""
        place = learned.inside_places.next()
        if place:
            learned.inside_places.tried.add(place)
            self._ranks = {learned.base: 1, learned.task: 0}
            self._stops, self._released = {learned.task: learned.inside[place - 1]}, -1
        return place > 0

    def _plan_under(self, learned: _Learned) -> bool:
        """The task is left in its section, for one that stands before the method."""
        coming = [one for key, one in sorted(self._learned.items()) if learned.task not in key and one.enters >= 0]
        place = learned.under_places.next() if coming and learned.task == learned.base else 0
        if place:
            learned.under_places.tried.add(place)
            other = coming[place % len(coming)]
            self._ranks = {learned.task: 2, other.base: 1, other.task: 0}
            self._stops = {other.task: other.enters, learned.task: learned.under[place - 1]}
            self._released = other.task
        return place > 0

    def watch(self, outcome: Outcome) -> None:
        """Events are counted by their tasks."""
        self._events = outcome.events

    def _first_rank(self, task: Task) -> int:
        return self._ranks.get(task.index, task.index + 3)

    def _meets(self, current: Task, step: int) -> None:
        stop = self._stops.get(current.index)
        if stop is None:
            return
        for event in self._events[self._counted : step]:
            self._done[event[1].index] += 1
        self._counted = step
        if self._done[current.index] >= stop:
            del self._stops[current.index]
            self._drop(current)
            if current.index != self._released and self._released in self._rank:
                # Now the method goes through, before everybody else.
                self._rank[self._released] = -1


class _Sections:
    """The events of a run, and which of them are ``inside`` the method and which under a lock: ``locked``, each with
    the number of its task."""

    def __init__(self, events: Sequence[RawEvent], method: str) -> None:
        self.events = events
        self.inside, self.locked = _steps_inside(events, method), _steps_under_locks(events)
        self.touches = list(touches_of(events))

    def comes(self, task: int) -> bool:
        """Whether the task comes to the method."""
        return task in self.inside.values()


def _learned_of(seen: _Sections, task: int, base: int, commutes: Callable[[str], bool]) -> _Learned:
    events, inside, locked = seen.events, seen.inside, seen.locked
    theirs: dict[Key, set[Touch]] = {}
    under: dict[Key, set[Touch]] = {}
    for step, index, touch in seen.touches:
        if index != task and step in inside:
            theirs.setdefault(touch.key, set()).add(touch)
        elif index != task and touch.locks:
            under.setdefault(touch.key, set()).add(touch)
    others_come = any(index != task for index in inside.values())
    others_lock = any(index != task for index in locked.values())
    own_inside, own_under = set(), set()
    for step, index, touch in seen.touches:
        if index != task:
            continue
        if step in inside and any(map(touch.meets, under.get(touch.key, ()))):
            own_inside.add(step)
        elif touch.locks and any(map(touch.meets, theirs.get(touch.key, ()))):
            own_under.add(step)
    for step, (kind, owner, _, name, _) in enumerate(events):
        if kind == op.IO and owner.index == task and not commutes(str(name)):
            if step in inside and others_lock:
                own_inside.add(step)
            elif step in locked and others_come:
                own_under.add(step)
    own = [number for number, event in enumerate(events) if event[1].index == task]
    position = {step: count for count, step in enumerate(own)}
    enters = min((position[step] for step, index in inside.items() if index == task), default=-1)
    changes = sum(events[step][0] in op.WRITES or events[step][0] == op.IO for step in own_inside)
    within, locking = ([position[step] for step in sorted(steps)] for steps in (own_inside, own_under))
    meetings = frozenset(events[step][4] for step in own_under)
    return _Learned(task, base, enters, within, locking, changes, meetings)


def _steps_inside(events: Sequence[RawEvent], method: str) -> dict[int, int]:
    """The events in calls of a method, each with the number of its task."""
    depth: Counter[int] = Counter()
    found = {}
    for step, (kind, owner, _, name, _) in enumerate(events):
        if kind == op.CALL and name == method:
            depth[owner.index] += 1
        elif kind == op.RETURN and name == method:
            depth[owner.index] -= 1
        elif depth[owner.index] > 0:
            found[step] = owner.index
    return found


def _steps_under_locks(events: Sequence[RawEvent]) -> dict[int, int]:
    """The events under any lock, each with the number of its task."""
    depth: Counter[int] = Counter()
    found = {}
    for step, (kind, owner, _, _, _) in enumerate(events):
        if kind in OPENING:
            depth[owner.index] += 1
        elif kind in CLOSING:
            depth[owner.index] -= 1
        elif depth[owner.index] > 0:
            found[step] = owner.index
    return found
