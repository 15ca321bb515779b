"""Torn reads: between two reads of one task's section, another writes outside of any.

Who reads twice under a lock takes what it reads for one picture. It is none where others
write both parts without that lock: one part is read before, the other after. That takes
two changes of priority, of which chance finds one pair in hundreds. Here each is tried
that can matter: the writer stops before one of its writes that no section guards, the
reader goes up to one of the later reads of a section, the writer goes on to its end.

A stale pair of reads is the second kind of unserializable interleaving, read-write-read
with the write in between (Lu, Tucek, Qin, Zhou, "AVIO", ASPLOS 2006); deviations: calls
that leave the process in place of accesses to memory, and sections, which say what is
meant to be atomic, in place of invariants learned from runs.

Which calls write and which sections there are is seen in runs of one task after the other;
a call that only appears between others is not tried. Blind to accesses to memory, to reads
outside of sections, to more than two tasks at once, and to what takes a third change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.priorities import PriorityScheduler


@dataclass(frozen=True, slots=True)
class StalePair:
    """``writer`` stops before its ``write``-th call, ``reader`` then before its ``read``-th."""

    writer: int
    write: int
    reader: int
    read: int


@dataclass(slots=True)
class Calls:
    """The calls of a task that was not disturbed, by their numbers from 1: ``writes`` that
    no section guards, and the later ``reads`` of sections."""

    writes: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)


class StalePairs(PriorityScheduler):
    """First each task to its end in turn, then every tear that these runs suggest."""

    name = "torn-reads"

    def __init__(
        self,
        commutes: Callable[[str], bool] = lambda call: False,
        may_write: Callable[[str], bool] = lambda call: True,
        may_read: Callable[[str], bool] = lambda call: True,
    ) -> None:
        """``commutes``: whether nothing changes for others at the call with this name;
        ``may_write``: whether it may change what others read; ``may_read``: whether it may read
        what others change. Unless told, any call may do both."""
        super().__init__()
        self._commutes, self._may_write, self._may_read = commutes, may_write, may_read
        self._first = 0
        self._learned: dict[int, Calls] = {}
        self._tears: Iterator[StalePair] = iter(())
        self._tear: StalePair | None = None
        self._met: dict[int, int] = {}

    def begin(self, execution: int) -> bool:
        """Move to the next tear; False when there is none left."""
        if execution == 0:
            self._learned = {}
        self._first, self._tear = execution, None
        self._prepare()
        if execution < self._tasks:
            return True
        if execution == self._tasks:
            self._tears = _tears(self._learned)
        return self.tear()

    def learn(self, task: int, outcome: Outcome) -> None:
        """Take in a run that somebody else made, in which this task went first to its end."""
        self._tasks = max(self._tasks, task + 1)
        self._learned[task] = self._calls_of(outcome, task)
        self._tears = _tears(self._learned)

    def tear(self) -> bool:
        """Prepare an execution with the next tear of what was learned; False when there is none left."""
        self._prepare()
        self._tear = next(self._tears, None)
        return self._tear is not None

    def _prepare(self) -> None:
        self._start()
        self._met = {}

    def _first_rank(self, task: Task) -> int:
        first = self._first if self._tear is None else self._tear.writer
        second = -1 if self._tear is None else self._tear.reader
        return 0 if task.index == first else 1 if task.index == second else task.index + 2

    def _meets(self, current: Task, step: int) -> None:
        tear, met = self._tear, self._met
        if tear is None or current.pending[0] != op.IO:
            return
        index = current.index
        met[index] = met.get(index, 0) + 1
        stops = {tear.writer: tear.write}
        if met.get(tear.writer) == tear.write:
            stops[tear.reader] = tear.read
        if met[index] == stops.get(index):
            self._drop(current)

    def end(self, outcome: Outcome) -> None:
        """Learn the calls of the task that went first."""
        if self._tear is None:
            self._learned[self._first] = self._calls_of(outcome, self._first)

    def _calls_of(self, outcome: Outcome, task: int) -> Calls:
        found = Calls()
        number, depth, reads = 0, 0, 0
        for kind, owner, _, name, _ in outcome.events:
            if owner.index != task:
                continue
            if kind in (op.ENTER, op.ACQUIRE):
                reads = reads if depth else 0
                depth += 1
            elif kind in (op.EXIT, op.RELEASE):
                depth = max(0, depth - 1)
            elif kind == op.IO:
                number += 1
                call = str(name)
                if self._commutes(call):
                    continue
                if not depth and self._may_write(call):
                    found.writes.append(number)
                if depth and self._may_read(call):
                    reads += 1
                    if reads > 1:
                        found.reads.append(number)
        return found


def _tears(learned: dict[int, Calls]) -> Iterator[StalePair]:
    for writer, own in learned.items():
        for reader, other in learned.items():
            if reader != writer:
                for write in own.writes:
                    yield from (StalePair(writer, write, reader, read) for read in other.reads)
