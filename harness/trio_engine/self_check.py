"""A proof of control over trio, made once in every process before the first run.

The gate rests on the order in which trio does things: a task is shown to instruments
before it can run, and the clock is asked exactly when nothing is runnable. Should
a release of trio change that, nothing may be reported as searched. So a lost
update must happen when it is asked for and only then, a lock must exclude, and an
hour of sleep must cost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

import trio

from semafuzz.harness.kernel.execution import Chooser
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.trio_engine.cancellation import Faults
from semafuzz.harness.trio_engine.execution import TrioExecution

_real_time = time.perf_counter


class _Alternate:
    """Leaves the running task at every chance."""

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        others = [task for task in enabled if task is not current]
        return others[0] if others else enabled[0]


class _Stay:
    """Leaves no task that could go on."""

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        return current if current in enabled and current is not None else enabled[0]


class _Bird:
    def __init__(self) -> None:
        self.songs = 0
        self.lock = trio.Lock()
        self.nested = False
        self.seen = False

    async def sing(self) -> None:
        songs = self.songs
        await trio.lowlevel.checkpoint()
        self.songs = songs + 1

    async def sing_twice(self) -> int:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.sing)
            await nursery.start(self.sing_on)
        return self.songs

    async def sing_on(self, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await self.sing()

    async def hold(self) -> None:
        async with self.lock:
            self.nested = True
            await trio.sleep(3600)
            self.nested = False

    async def peek(self) -> None:
        async with self.lock:
            self.seen |= self.nested

    async def nest(self) -> bool:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.hold)
            nursery.start_soon(self.peek)
        return self.seen


def _run(scheduler: Chooser, function: Callable[[], Awaitable[object]]) -> tuple[Outcome, object]:
    return TrioExecution(scheduler, ExecutionConfig(bytearray(1 << 16)), Faults((), 0)).run_function(function)


def probe() -> str:
    """Run the canary; empty, or what is not under control."""
    known = f"trio {trio.__version__} is not under control: "
    for scheduler, wanted in ((_Alternate(), 1), (_Stay(), 2)):
        outcome, songs = _run(scheduler, _Bird().sing_twice)
        if outcome.uncontrolled or outcome.failures:
            return known + (outcome.uncontrolled or outcome.failures[0].message)
        if songs != wanted:
            return known + "a switch at a checkpoint does not happen as it is asked for"
    started = _real_time()
    outcome, seen = _run(_Alternate(), _Bird().nest)
    if seen is not False or outcome.failures:
        return known + "a lock did not exclude a second task"
    if outcome.now < 3600 or _real_time() - started > 60:
        return known + "sleeping took real time"
    return ""
