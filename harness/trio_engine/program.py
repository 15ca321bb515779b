"""Async functions as programs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Final

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, invariant_failure
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.search.exploration import explore
from semafuzz.harness.search.result import Result
from semafuzz.harness.trio_engine import self_check
from semafuzz.harness.trio_engine.cancellation import Cancellation, Faults
from semafuzz.harness.trio_engine.execution import ObservedTrioExecution, TrioExecution, real_locks
from semafuzz.harness.trio_engine.loop import LoopKeeper

MODEL: Final = "trio"
"""Where a switch can happen: at checkpoints. The name stands in traces."""

_heard: list[str] = []
"""What the canary said in this process, once it was asked."""


@dataclass
class TrioProgram(Program):
    """An async function without arguments that uses trio.

    It runs as the main task of a run of trio; what leaves it is a failure.
    ``check`` is called with what it returned and raises where that is wrong.
    ``refresh`` makes the function anew before every execution. ``faults``
    are cancellations made in every execution; ``cancellations`` is how many more a
    scheduler may choose in each, at any checkpoint of any task but the main one.
    ``patient``: deadlines pass only when no task can go on. ``steps``: how often, all
    together, tasks may go on from a checkpoint before the run is cut. ``shrink_budget``:
    the executions that making a failing run small may take; a long one counts for several.
    """

    function: Callable[[], Awaitable[Any]]
    name: str = ""
    under_test: Sequence[ModuleType] = ()
    refresh: Callable[[], Callable[[], Awaitable[Any]]] | None = None
    check: Callable[[Any], object] | None = None
    faults: Sequence[Cancellation] = ()
    cancellations: int = 0
    patient: bool = False
    steps: int = 3_000
    shrink_budget: int | None = 100
    model = MODEL

    def __post_init__(self) -> None:
        self._keeper = LoopKeeper()
        if not self.name:
            self.name = getattr(self.function, "__qualname__", repr(self.function))
        if not self.under_test:
            own = sys.modules.get(getattr(self.function, "__module__", "") or "")
            self.under_test = [own] if own is not None else []

    @contextmanager
    def session(self) -> Iterator[None]:
        """Executions in the block share an event loop where that makes no difference: it
        is three times as fast. Code that runs between executions (``check``,
        ``refresh``) may run trio itself, so with such none is shared."""
        self._keeper.keeping = self.check is None and self.refresh is None
        with super().session():
            try:
                yield
            finally:
                self._keeper.close()

    def execute(self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None) -> Outcome:
        """Run once, and check what came of it."""
        if not _heard:
            _heard.append(self_check.probe())
        if _heard[0]:
            silent = Outcome()
            silent.uncontrolled = _heard[0]
            return silent
        function = self.refresh() if self.refresh is not None else self.function
        faults = Faults(self.faults, self.cancellations)
        looks = tuple(look for watcher in setting.detectors if (look := watcher.begin()) is not None)
        made = partial(ObservedTrioExecution, looks=looks) if looks else TrioExecution
        execution = made(scheduler, setting, faults, forced, patient=self.patient, steps=self.steps)
        scheduler.watch(execution.outcome)
        outcome, result = execution.run_function(function, self._keeper)
        if self.check is not None and not outcome.failures and not outcome.uncontrolled:
            try:
                with real_locks():
                    self.check(result)
            except Exception as error:
                outcome.failures.append(invariant_failure(error))
        return outcome


def explore_async(
    function: Callable[[], Awaitable[Any]],
    *,
    scheduler: str | Scheduler = "portfolio",
    schedules: int = 1000,
    seconds: float | None = None,
    seed: int = 0,
    instrument: Sequence[str | ModuleType] = (),
    stop_on_first: bool = True,
) -> Result:
    """``semafuzz.explore`` for an async function without arguments that uses trio.

    Options are those of ``explore``. For cancellations and checks, make a
    :class:`TrioProgram` and give that to ``explore``. Raises UsageError where the
    function is not async.
    """
    if not inspect.iscoroutinefunction(function):
        raise UsageError("explore_async takes an async function without arguments; explore takes the others")
    return explore(
        TrioProgram(function),
        scheduler=scheduler,
        schedules=schedules,
        seconds=seconds,
        seed=seed,
        instrument=instrument,
        stop_on_first=stop_on_first,
    )
