"""Locks that are held where they should not be, in one execution: while their holder waits, and after its end.

A wait is one for a notification (a condition, an event, a queue, a semaphore), for the end of a thread, for time to
pass, or a call that leaves the process. The lock of the condition that is waited for is free meanwhile and does not
count. Nobody can take the lock until the wait is over; where what ends it needs the lock, that is never.

A lock is *left* where a task took it, has ended and nobody gave it back, though others want it: what an exception on
the way past ``release`` leaves.

It misses waits in code that is not looked into, waits that never ended in any execution (those are deadlocks, which
are failures already), and locks left by a task that lives on. It is wrong where a wait under a lock is meant: a lock
that exists to let one caller at a time do something slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.doubles.locks import WaiterLock
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import RawEvent, Task

_WORDS: Final = {op.JOIN: "waits for the end of a thread", op.SLEEP: "sleeps", op.IO: "calls out of the process"}
FOR_NOTIFICATION: Final = "waits for a notification"


class HeldLock(NamedTuple):
    """A lock, and the site that took it."""

    lock: object
    site: int


class WaitUnderLock(NamedTuple):
    """``held`` while its holder does what ``words`` say at ``site``."""

    held: HeldLock
    words: str
    site: int


class LeftLock(NamedTuple):
    """``held`` by a task that has ended. ``failed``: by an exception; ``blocked``: somebody waits for it for ever."""

    held: HeldLock
    failed: bool
    blocked: bool


class HeldLocks:
    """Reads one execution. ``waits``: each once; ``left``: at its end."""

    def __init__(self, outcome: Outcome) -> None:
        self.waits: set[WaitUnderLock] = set()
        self._held: dict[int, dict[int, HeldLock]] = {}
        self._owners: dict[int, Task] = {}
        self._takers: dict[int, set[int]] = {}
        for event in outcome.events:
            self._read(event)
        self.left = list(self._left(outcome.tasks))

    def _read(self, event: RawEvent) -> None:
        kind, task, subject, _, site = event
        if kind == op.ACQUIRE or kind == op.TIMEOUT:
            if isinstance(subject, (WaiterLock, Task)):
                words = FOR_NOTIFICATION if isinstance(subject, WaiterLock) else _WORDS[op.JOIN]
                self._wait(task.index, words, site)
            elif kind == op.ACQUIRE:
                self._take(task, subject, site)
        elif kind == op.RELEASE:
            where = address(subject)
            # A plain lock may be given back by another task than took it.
            owner = self._owners.pop(where, task)
            self._held.get(owner.index, {}).pop(where, None)
        elif kind in _WORDS:
            self._wait(task.index, _WORDS[kind], site)

    def _take(self, task: Task, lock: object, site: int) -> None:
        where = address(lock)
        self._held.setdefault(task.index, {})[where] = HeldLock(lock, site)
        self._owners[where] = task
        self._takers.setdefault(where, set()).add(task.index)

    def _wait(self, task: int, words: str, site: int) -> None:
        for held in self._held.get(task, {}).values():
            self.waits.add(WaitUnderLock(held, words, site))

    def _left(self, tasks: Sequence[Task]) -> list[LeftLock]:
        # The type is asked: an object of the program may say what class it is.
        waiting = {address(task.pending[1]) for task in tasks if not task.done and lock_of(task.pending[1]) is not None}
        found: list[LeftLock] = []
        for where, owner in self._owners.items():
            if owner.done and (where in waiting or len(self._takers[where]) > 1):
                held = self._held[owner.index][where]
                found.append(LeftLock(held, owner.error is not None, where in waiting))
        return found
