"""Steps: an execution as the sequence of operations that another task could notice.

A step is one access, one operation on a lock, one start, end or join of a task, one waking up. What it
depends on is said twice: by the locations of this execution (``seen`` and ``marked``, exact), and by names
that hold in other executions too (``named``, which may take two objects for one, never one for two).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.dependence import reach_in_container
from semafuzz.harness.kernel.locations import ANY_ITEM, CONTAINER, WHOLE_CONTAINER
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent, Task, task_of
from semafuzz.harness.schedulers.dpor.objects import Objects, Paths

Cell = tuple[object, object]
"""An object and what of it: an attribute, an item, a whole container, or a lock."""

_LOCKS: Final = "lock"
_OUTSIDE: Final[Cell] = ("outside", None)
_CLOCK: Final[Cell] = ("clock", None)
_NUMBERS: Final[Cell] = ("numbers", None)
_LOCK_KINDS: Final = frozenset({op.ACQUIRE, op.RELEASE, op.TRY, op.TIMEOUT})
_TASK_KINDS: Final = frozenset({op.SPAWN, op.BEGIN, op.END, op.JOIN})


class Reach:
    """The cells that an operation looks at, those on which it leaves a mark, and whether it changes them.
    ``barrier``: it depends on everything, since it can only be where nothing else can go on. ``ends_all``: it
    is the end of the last task that is waited for, which ends the daemons too; ``daemon``: it is of one."""

    __slots__ = ("barrier", "daemon", "ends_all", "marked", "seen", "writes")

    def __init__(
        self,
        seen: Sequence[Cell] = (),
        marked: Sequence[Cell] = (),
        writes: bool = False,
        *,
        barrier: bool = False,
        daemon: bool = False,
        ends_all: bool = False,
    ) -> None:
        self.seen = seen
        self.marked = marked
        self.writes = writes
        self.barrier = barrier
        self.daemon = daemon
        self.ends_all = ends_all

    def alike(self, other: Reach) -> bool:
        """Whether two say the same."""
        return (
            list(self.seen) == list(other.seen)
            and self.writes == other.writes
            and (self.barrier, self.ends_all, self.daemon) == (other.barrier, other.ends_all, other.daemon)
        )

    def meets(self, other: Reach) -> bool:
        """Whether the order of the two matters."""
        if self.barrier or other.barrier or (self.ends_all and other.daemon) or (self.daemon and other.ends_all):
            return True
        if not (self.writes or other.writes):
            return False
        return any(cell in other.marked for cell in self.seen)


NOTHING: Final = Reach()


class Step:
    """One operation. ``number``: of its task's steps, from 0. ``waits``: it can only be made where its lock is
    free (a lock taken without a time-out). ``other``: the task that it starts, begins, ends or joins."""

    __slots__ = ("index", "kind", "named", "number", "other", "reach", "site", "subject", "task", "waits")

    def __init__(self, index: int, event: RawEvent, number: int, reach: Reach, named: Reach) -> None:
        self.index = index
        self.kind, task, self.subject, _, self.site = event
        self.task = task.index
        self.number = number
        self.reach = reach
        self.named = named
        self.waits = False
        self.other = -1


class Steps(list[Step]):
    """The steps of one execution, read from its events as they come.

    ``early_timeouts``: a time-out may run out while others could go on: it is a lock that was refused then.
    ``timed``: locks that were taken in time, though nobody had to wait. ``watch_time``: somebody reads a
    clock, so that letting time pass is an operation on it.
    """

    def __init__(
        self, outcome: Outcome, paths: Paths, *, watch_time: bool = False, early_timeouts: bool = False
    ) -> None:
        super().__init__()
        self.objects = Objects(paths)
        self.watch_time = watch_time
        self.early_timeouts = early_timeouts
        self.reads_clock = False
        self.sleeps = False
        self.timed: list[Step] = []
        self._outcome = outcome
        self._read = 0
        self._walked = False
        self._numbers: dict[int, int] = {}
        self._awaited: set[int] = set()
        self._began = False

    def read_on(self, *, all_of_them: bool = False) -> None:
        """Take in the events that are new; none before the first task was started, up to when one task alone
        is making what the others share. ``all_of_them``: the execution is over."""
        events = self._outcome.events
        end, noted = len(events), self._outcome.noted
        if not self._walked:
            begun = next((number for number, event in enumerate(events) if event[0] == op.SPAWN), end)
            if begun == end and not all_of_them and len(self._outcome.tasks) == 1:
                return
            self._walk(begun + 1)
        if not self._began:
            self._began = True
            self._awaited.update(task.index for task in self._outcome.tasks if not task.daemon)
        while self._read < end:
            event = events[self._read]
            kind = event[0]
            if kind == op.TRY and self._read + 1 < end:
                after = events[self._read + 1]
                if after[0] == op.ACQUIRE and after[1] is event[1] and after[2] is event[2]:
                    # One operation: a lock taken that could have been refused.
                    # Where time-outs run out only when nothing else can go on, it waits as without one.
                    in_time = not self.early_timeouts and SITES.kinds.get(after[4]) == op.ACQUIRE
                    self._add(after, waits=in_time)
                    if in_time:
                        self.timed.append(self[-1])
                    self._read += 2
                    continue
            if self._read in noted and self and self[-1].task == event[1].index:
                self._widen(event)
            else:
                self._add(event, waits=kind == op.ACQUIRE)
            self._read += 1

    def announced(self) -> list[Step]:
        """What tasks were about to do when the execution ended, where they could have gone on or wait for a lock."""
        found = []
        for task in self._outcome.tasks:
            kind, subject, name, site = task.pending
            if task.done or kind == op.JOIN or kind == op.YIELD:
                continue
            lock = lock_of(subject)
            if kind == op.ACQUIRE and lock is not None and lock.notified:
                # It waits for a notification.
                continue
            found.append(self._wished((kind, task, subject, name, site), waits=kind == op.ACQUIRE))
        return found

    def wish(self, step: Step) -> Step | None:
        """Of a step whose time ran out: the taking of the lock that it waited for; None for another wait."""
        lock = lock_of(step.subject)
        if lock is None or lock.notified:
            return None
        task = next(one for one in self._outcome.tasks if one.index == step.task)
        return self._wished((op.ACQUIRE, task, step.subject, None, step.site), number=step.number)

    def _wished(self, event: RawEvent, *, waits: bool = True, number: int | None = None) -> Step:
        if number is None:
            number = self._numbers.get(event[1].index, 0)
        exact, named = self._reach(event, number)
        step = Step(len(self), event, number, exact, named)
        step.waits = waits
        return step

    def _walk(self, end: int) -> None:
        self._walked = True
        if any(kind == "finaliser" for kind, _ in self._outcome.limits):
            # The program would notice that its objects are held.
            return
        self.objects.walk(self._outcome.events[:end], self._outcome.tasks)

    def _add(self, event: RawEvent, *, waits: bool) -> None:
        kind, task, subject, _, _ = event
        if kind in (op.NOTE, op.ENTER, op.EXIT, op.LOOP, op.CALL, op.RETURN, op.OPERATION, op.OPERATION_END, op.YIELD):
            return
        if kind == op.CLOCK:
            self.reads_clock = True
        elif kind == op.SLEEP:
            self.sleeps = True
        number = self._numbers.get(task.index, 0)
        self._numbers[task.index] = number + 1
        reach, named = self._reach(event, number)
        step = Step(len(self), event, number, reach, named)
        step.waits = waits
        if kind in _TASK_KINDS:
            other = task_of(subject)
            step.other = -1 if other is None else other.index
        self.append(step)

    def _widen(self, event: RawEvent) -> None:
        """The newest step is on something else as well."""
        kind, task, subject, name, _ = event
        step = self[-1]
        named = self.objects.name(subject, event, step.number)
        for reach, where in ((step.reach, address(subject)), (step.named, named)):
            more = self._cells(kind, where, name, task)
            reach.seen = (*reach.seen, *more.seen)
            reach.marked = (*reach.marked, *more.marked)
            reach.writes = reach.writes or more.writes

    def _reach(self, event: RawEvent, number: int) -> tuple[Reach, Reach]:
        kind, task, subject, name, _ = event
        reach: Reach | None
        if kind in _TASK_KINDS:
            reach = self._reach_of_task(kind, task, task_of(subject))
        elif kind == op.IO:
            reach = Reach((_OUTSIDE,), (_OUTSIDE,), True, daemon=task.daemon)
        elif kind == op.CLOCK or kind == op.SLEEP:
            cells = (_CLOCK,) if self.watch_time else ()
            reach = Reach(cells, cells, kind == op.SLEEP, daemon=task.daemon)
        elif kind == op.TIMEOUT and not self.early_timeouts:
            reach = Reach(barrier=True)
        elif kind == op.TIMEOUT and (other := task_of(subject)) is not None:
            cells = (_end_of(other),)
            reach = Reach(cells, cells, daemon=task.daemon)
        else:
            reach = None
        if reach is not None:
            return reach, reach
        exact = self._cells(kind, address(subject), name, task)
        return exact, self._cells(kind, self.objects.name(subject, event, number), name, task)

    def _cells(self, kind: int, where: object, name: object, task: Task) -> Reach:
        seen: Sequence[Cell]
        marked: Sequence[Cell]
        if kind in CONTAINER:
            seen, marked = reach_in_container(kind, where, name)
        elif kind in _LOCK_KINDS:
            seen = marked = [(where, _LOCKS)]
        else:
            # The whole of an instance is all its attributes.
            seen = [(where, name), (where, WHOLE_CONTAINER)]
            marked = [(where, name), (where, ANY_ITEM)]
        writes = kind in op.WRITES or kind == op.ACQUIRE or kind == op.RELEASE
        return Reach(seen, marked, writes, daemon=task.daemon)

    def _reach_of_task(self, kind: int, task: Task, other: Task | None) -> Reach:
        if kind == op.SPAWN and other is not None and not other.daemon:
            self._awaited.add(other.index)
        if kind == op.SPAWN:
            # Tasks are numbered as they are started, and known by their numbers.
            return Reach((_NUMBERS,), (_NUMBERS,), True)
        if kind == op.JOIN and other is not None and self.early_timeouts:
            cells = (_end_of(other),)
            return Reach(cells, cells)
        if kind != op.END:
            return NOTHING
        self._awaited.discard(task.index)
        last = not task.daemon and not self._awaited
        ends_all = last and any(one.daemon for one in self._outcome.tasks)
        if not self.early_timeouts:
            return Reach(ends_all=ends_all)
        cells = (_end_of(task),)
        return Reach(cells, cells, True, ends_all=ends_all)


def _end_of(task: Task) -> Cell:
    return ("end", task.index)
