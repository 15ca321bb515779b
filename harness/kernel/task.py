"""A controlled thread of control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from greenlet import greenlet as Greenlet  # noqa: N812

from semafuzz.harness.kernel import event_kinds as op

RawEvent = tuple[int, "Task", object, object, int]
"""``(kind, task, subject, name, site)``; see ``semafuzz.harness.kernel.event_kinds``."""

Pending = tuple[int, object, object, int]
"""``(kind, subject, name, site)`` of an operation announced but not performed."""


class Task:
    """One thread of control: a greenlet and what the kernel knows about it.

    ``pending`` is the operation that the task performs when it is next chosen;
    a scheduler may read it, ``index`` and ``name``, and ``timed``: whether the
    task can only go on by its time running out.
    """

    # Start values stand on the class, as those of the execution do.
    greenlet: Greenlet | None = None
    done = False
    result: object = None
    error: BaseException | None = None
    ident = 0
    thread: Any = None
    joiners: tuple[Task, ...] = ()
    deadline: float | None = None
    timeout: float | None = None
    timed = False
    timed_out = False
    parked = False
    clock_reads = 0
    visible_depth = 0
    """In how many methods it is whose calls are visible."""
    locks_made = 0
    pending: Pending = (op.BEGIN, None, None, 0)

    def __init__(self, index: int, name: str, run: Callable[[], object], *, daemon: bool = False) -> None:
        self.index = index
        self.name = name
        self.run = run
        self.daemon = daemon
        self.local_values: dict[str, object] = {}

    def __repr__(self) -> str:
        return f"<Task {self.index} {self.name}>"


def task_of(subject: object) -> Task | None:
    """``subject`` where it is a task. Asks for its type: ``isinstance`` believes ``__class__``, and so
    would run code of the program."""
    return cast("Task", subject) if issubclass(type(subject), Task) else None
