"""Tasks of a controlled run of trio: trio's own, time, and cancellations.

A scheduler chooses among :class:`~semafuzz.harness.kernel.task.Task` objects. Here three
things are such: the tasks of the code under test; the passing of time up to the next
deadline; and, where the program asks for it, the cancellation of a task. The
last two have fixed numbers far above those of tasks, so that a trace does not
depend on when they first became possible.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import trio

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.sites import NOWHERE
from semafuzz.harness.kernel.task import Task

LETTER = 2047
"""The number of the choice that a callback which was posted to the loop is called."""

TIME = 2048
"""The number of the choice that time passes."""

CANCEL = 2049
"""The cancellation of task n has the number ``CANCEL + n``. Above that of time: where
nothing else can be, the natural schedule lets time pass and cancels nobody."""


class TrioTask(Task):
    """A task of the code under test.

    ``inner`` is its coroutine. ``blocked``: trio has it, and it goes on when
    something reschedules it; otherwise it stands at the gate and is enabled.
    ``steps`` counts how often it went on, ``checkpoints`` where it stopped;
    ``spins`` how often in a row at one place without waiting for anything.
    ``doomed``: it is thrown out wherever it is.
    """

    blocked = False
    begun = False
    doomed = False
    steps = 0
    checkpoints = 0
    spins = 0
    refusals = 0
    scope: trio.CancelScope | None = None
    trio_task: trio.lowlevel.Task | None = None

    def __init__(self, index: int, name: str, inner: Coroutine[Any, Any, Any] | None, *, daemon: bool = False) -> None:
        super().__init__(index, name, _nothing, daemon=daemon)
        self.inner = inner


class Moment(Task):
    """The choice that time passes to the next deadline."""

    timed = True
    pending = (op.SLEEP, None, "to the next deadline", NOWHERE)

    def __init__(self) -> None:
        super().__init__(TIME, "time", _nothing)


class Letter(Task):
    """The choice that the oldest callback which was posted (``TrioToken.run_sync_soon``) is called now.

    ``deliver`` hands it to trio, which calls it before anything else can run.
    """

    def __init__(self, deliver: Callable[[], object], name: str) -> None:
        super().__init__(LETTER, f"callback {name}", _nothing)
        self.deliver = deliver
        self.pending = (op.NOTE, None, f"call {name}", NOWHERE)


class Interruption(Task):
    """The choice that ``victim`` is cancelled now."""

    timed = True

    def __init__(self, victim: TrioTask) -> None:
        super().__init__(CANCEL + victim.index, f"cancel {victim.name}", _nothing)
        self.victim = victim


def _nothing() -> None:
    return None
