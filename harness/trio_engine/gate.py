"""The gate: no task of the code under test goes on without having been chosen.

trio tells an instrument of every task before it runs, whoever started it
(``start_soon``, ``start``, a system task); the gate is then put around the task's
coroutine. It hands every trap on to trio, except that of a plain checkpoint, and
after each holds the task until the execution has chosen it. So trio's own queue never
holds more than one task that will run code under test, and the order in which trio
takes tasks from it (which is random) decides nothing.

Only public names of trio are used; the two messages by which coroutines
talk to trio are learned by asking public functions for them.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, Protocol

import trio

from semafuzz.harness.kernel.task_errors import Abort
from semafuzz.harness.trio_engine.tasks import TrioTask

_PATIENCE = 10
"""How often a task may go on instead of ending when it is thrown out."""

_stubborn: list[object] = []
"""Coroutines that would not end: freeing them would try it again."""


def _refuse(_: object) -> trio.lowlevel.Abort:
    """A task at the gate cannot be cancelled there: it is where it will be told."""
    return trio.lowlevel.Abort.FAILED


def _message(trap: Coroutine[Any, Any, Any]) -> Any:
    try:
        return trap.send(None)
    finally:
        trap.close()


WAIT = _message(trio.lowlevel.wait_task_rescheduled(_refuse))
CHECKPOINT = _message(trio.lowlevel.cancel_shielded_checkpoint())


def is_wait(message: object) -> bool:
    """Whether this is trio's message of a task that waits to be rescheduled."""
    return type(message) is type(WAIT)


def _count_turn() -> None:
    """What ``trio.testing.assert_checkpoints`` goes by. trio gives no public name to it; a release that has another
    one is found out by the canary."""
    task: Any = trio.lowlevel.current_task()
    task._schedule_points += 1


class Gatekeeper(Protocol):
    """What the gate asks of the execution, which chooses who passes it."""

    @property
    def cancellable(self) -> bool:
        """Whether tasks can be cancelled from outside."""

    def stays(self, task: TrioTask) -> bool:
        """Whether a task at a plain checkpoint goes on at once."""

    def enter(self, task: TrioTask) -> None:
        """The task goes on."""

    def end(self, task: TrioTask, error: BaseException | None = None) -> None:
        """The task has ended."""

    def pause(self, task: TrioTask) -> None:
        """The task stands at a checkpoint."""

    def block(self, task: TrioTask, trap: object) -> None:
        """The task waits for something of trio's."""

    def wake(self, task: TrioTask) -> None:
        """What it waited for has come."""


@coroutine
def through(execution: Gatekeeper, task: TrioTask) -> Generator[Any, Any, Any]:
    """Run ``task.inner`` to its end, one chosen step after the other."""
    inner = task.inner
    assert inner is not None
    value: Any = None
    chosen: Any = None
    paused = False
    try:
        while True:
            if paused and execution.stays(task):
                # What trio sends to a task that goes on; each can be opened only once.
                value = type(chosen)(None)
                _count_turn()
            else:
                chosen = yield WAIT
                if paused:
                    value = chosen
            execution.enter(task)
            try:
                trap = inner.throw(Abort()) if task.doomed else inner.send(value)
            except StopIteration as end:
                execution.end(task)
                return end.value
            except Abort:
                execution.end(task)
                return None
            except BaseException as error:
                execution.end(task, error)
                raise
            if task.doomed:
                task.refusals += 1
                if task.refusals > _PATIENCE:
                    _stubborn.append(inner)
                    execution.end(task)
                    return None
            paused = trap is CHECKPOINT
            if paused:
                execution.pause(task)
            else:
                execution.block(task, trap)
                if not task.doomed:
                    value = yield trap
                execution.wake(task)
    except GeneratorExit:
        inner.close()
        raise


async def gated(execution: Gatekeeper, task: TrioTask) -> Any:
    """A coroutine that trio runs in place of the task's own."""
    if execution.cancellable and task.index:
        with trio.CancelScope() as task.scope:
            return await through(execution, task)
        return None
    return await through(execution, task)
