"""The process that a task runs in, and whether it is still there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any


class ProcessEndedError(BaseException):
    """The process of this task was killed: nothing handles it."""


class Process:
    """One nova-compute from its start to its end. ``starting``: nobody asks it for anything
    before it says :meth:`up`."""

    __slots__ = ("_up", "ended", "inside", "pools")

    def __init__(self, *, starting: bool = False) -> None:
        self.ended = False
        self.inside = 0
        """How many tasks run code of it."""
        self.pools: Any = None
        """Its pools of threads, once something was left to one; see ``world/pools.py``."""
        # One that runs from the start of a program is never waited for, which would be a switch.
        self._up = threading.Event() if starting else None

    def up(self) -> None:
        """It takes messages and runs its periodic tasks."""
        if self._up is not None:
            self._up.set()

    def kill(self) -> None:
        """It is gone. Who waited for it waits for the next."""
        self.ended = True
        self.up()

    def wait(self) -> None:
        """Wait until it is up, or gone."""
        if self._up is not None:
            self._up.wait()


running_process: ContextVar[Process | None] = ContextVar("running_process", default=None)
"""That of the running task; None outside of the compute hosts."""


_acting: ContextVar[int | None] = ContextVar("acting", default=None)


def act_for(task: int) -> None:
    """What the running task does from here on, also by threads that it starts, it does as a task of this number."""
    _acting.set(task)


def acting_task(running: int) -> int:
    """The number of the program's task for which the ``running`` one works."""
    acting = _acting.get()
    return running if acting is None else acting


@contextmanager
def running_in(process: Process | None) -> Iterator[None]:
    """The block is code of a process. What leaves it after the end of that process is
    ProcessEndedError: whatever Nova made of it has happened nowhere."""
    token = running_process.set(process)
    if process is not None:
        process.inside += 1
    try:
        yield
    except Exception as error:
        if process is not None and process.ended:
            raise ProcessEndedError("the process was killed") from error
        raise
    finally:
        running_process.reset(token)
        if process is not None:
            process.inside -= 1


def die_if_killed() -> None:
    """What a killed process does not live to do. Raises ProcessEndedError."""
    process = running_process.get()
    if process is not None and process.ended:
        raise ProcessEndedError("the process was killed")
