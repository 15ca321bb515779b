"""A controlled thread of control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from greenlet import greenlet

RawEvent = tuple[int, "Task", object, object, int]
"""``(kind, task, subject, name, site)``; see ``harness.kernel.operations``."""

Pending = tuple[int, object, object, int]
"""``(kind, subject, name, site)`` of an operation announced but not performed."""


class Task:
    """One thread of control: a greenlet and what the kernel knows about it.

    ``pending`` is the operation that the task performs when it is next chosen;
    a scheduler may read it, ``index`` and ``name``, and ``timed``: whether the
    task can only go on by its time running out.
    """

    __slots__ = (
        "__weakref__",
        "clock_reads",
        "daemon",
        "deadline",
        "done",
        "error",
        "greenlet",
        "ident",
        "index",
        "joiners",
        "local_values",
        "name",
        "pending",
        "result",
        "run",
        "thread",
        "timed",
        "timed_out",
    )

    def __init__(self, index: int, name: str, run: Callable[[], object], *, daemon: bool = False) -> None:
        self.index = index
        self.name = name
        self.run = run
        self.daemon = daemon
        self.greenlet: greenlet | None = None
        self.pending: Pending = (10, self, None, 0)
        self.done = False
        self.result: object = None
        self.error: BaseException | None = None
        self.ident = 0
        self.thread: Any = None
        self.joiners: list[Task] = []
        self.deadline: float | None = None
        self.timed = False
        self.timed_out = False
        self.local_values: dict[str, object] = {}
        self.clock_reads = 0

    def __repr__(self) -> str:
        return f"<Task {self.index} {self.name}>"
