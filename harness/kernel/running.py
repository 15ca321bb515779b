"""Protocols of the execution that is under way, for the rest of the kernel.

A protocol, so that the doubles, the clock and the messages of a deadlock need not
import the execution, which imports them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from semafuzz.harness.kernel.lockable import Lockable
from semafuzz.harness.kernel.outcome import LimitKind, Outcome, RawDecision
from semafuzz.harness.kernel.sites import NOWHERE
from semafuzz.harness.kernel.task import RawEvent, Task


class Clock(Protocol):
    """Virtual time, in seconds since the start of the execution."""

    now: float

    def read(self, execution: Running) -> float:
        """The time; an event."""

    def advance_to(self, moment: float) -> None:
        """Let time pass."""


class Running(Protocol):
    """An execution, as tasks see it; each member is documented in
    :class:`semafuzz.harness.kernel.execution.Execution`."""

    aborting: bool
    stopped: bool
    random_seeded: bool
    thread_numbers: int
    hashes: int
    generators: int
    seed: int
    thorough: bool
    preemptive: bool
    unfinished: int
    on_io: Callable[[str, Task], None] | None
    hot: bytearray
    outcome: Outcome
    events: list[RawEvent]
    decisions: list[RawDecision]
    tasks: list[Task]
    current: Task

    @property
    def clock(self) -> Clock:
        """Its time."""

    def spawn(self, run: Callable[[], object], name: str, *, daemon: bool = False) -> Task:
        """Create a task from within a task."""

    def run_task(self) -> None:
        """Run the current task to its end."""

    def fail_task(self, task: Task, error: BaseException) -> None:
        """Record an exception that nothing in a task caught."""

    def touch(self, kind: int, subject: object, name: object, site: int) -> None:
        """Announce and record an access to data."""

    def io(self, name: str, site: int = NOWHERE, subject: object = None) -> None:
        """A call that leaves the process."""

    def limit(self, kind: LimitKind, what: str, site: int) -> None:
        """Something took part whose state is not seen."""

    def stretch(self, what: str, site: int) -> None:
        """What was announced as one step is more than one."""

    def reach_outside(self, what: str, site: int) -> None:
        """A call that reaches a file, a socket or a process."""

    def note(self, kind: int, subject: object, name: object, site: int = NOWHERE) -> None:
        """Record an event that is never a scheduling point."""

    def point(self, kind: int, subject: object, name: object, site: int) -> None:
        """Announce an operation and let the scheduler choose who goes on."""

    def acquire(self, lock: Lockable, timeout: float | None, site: int) -> bool:
        """Take a lock."""

    def release(self, lock: Lockable, site: int) -> None:
        """Give a lock up."""

    def join(self, target: Task, timeout: float | None, site: int) -> bool:
        """Wait until a task is done."""

    def sleep(self, seconds: float, site: int) -> None:
        """Let virtual time pass."""

    def park(self) -> None:
        """Take the running task out of the run."""

    def unpark(self, task: Task) -> None:
        """Let a parked task go on."""

    def escape(self, what: str) -> None:
        """Something is not under control."""


class Recorded(Protocol):
    """The record of an execution, as far as deadlocks and thread identity need it."""

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks so far."""

    @property
    def events(self) -> Sequence[RawEvent]:
        """The events so far."""

    @property
    def decisions(self) -> Sequence[object]:
        """The choices so far."""
