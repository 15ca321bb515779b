"""Calls of several tasks one after the other: the next one begins only when all others have ended or wait.

Each task is a thread of its own, as in the run that is judged, so that what belongs to a thread (a re-entrant lock,
``threading.local``, context variables) is the same. A call that waits is left waiting, and goes on when a later one
wakes it; of several that were woken, the one that began first goes on first. Before a call that is *late*, time passes
until no time-out of a waiting call is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.doubles.locks import control_thread
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import OneExecution
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.calls import CameTo, World, came_to
from semafuzz.targets.model.solo_run import no_points

_GATE = "the next call"
"""What a task announces between two calls."""
_MOST_EVENTS = 20_000
"""Events of a serial run; one that takes more does not end."""


class Step(NamedTuple):
    """One call in its place. ``number``: among the calls of the program; ``late``: after time has passed."""

    number: int
    task: int
    operation: Operation
    late: bool


@dataclass(slots=True)
class SerialRun:
    """What calls one after the other came to. ``ended``: by number; ``pending``: begun and waiting for ever;
    ``ended_before``: for each call those that had ended when it began; ``timed``: some call was waiting with a
    time-out when the last one began."""

    world: World
    ended: dict[int, CameTo] = field(default_factory=dict)
    pending: set[int] = field(default_factory=set)
    ended_before: dict[int, frozenset[int]] = field(default_factory=dict)
    timed: bool = False

    def complete(self, steps: Sequence[Step]) -> bool:
        """Whether every call has begun."""
        return len(self.ended) + len(self.pending) == len(steps)


class _InOrder(OneExecution):
    """Lets calls begin in the order of ``turns``, which are numbers of tasks; who is inside a call goes on first, the
    one that began first."""

    def __init__(self, turns: Sequence[int]) -> None:
        self._turns = turns
        self._next = 0
        self.begun: dict[int, int] = {}

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Who is inside a call, or the task whose turn it is."""
        inside = [task for task in enabled if task.pending[2] is not _GATE]
        if inside:
            return min(inside, key=lambda task: self.begun.get(task.index, -1))
        if self._next < len(self._turns):
            turn = self._turns[self._next]
            for task in enabled:
                if task.index == turn:
                    return task
        # Whose turn it is waits inside an earlier call: none of the rest can begin.
        return enabled[0]

    def may_begin(self, task: int, place: int) -> bool:
        """Whether it is the turn of the call in this place of the order; then it begins."""
        if self._next != place:
            return False
        self._next += 1
        self.begun[task] = self._next
        return True


def run_in_order(world: World, steps: Sequence[Step], moment: float = 0.0) -> SerialRun:
    """Run the calls, from so many seconds after the beginning. CannotJudge where that escapes control."""
    run = SerialRun(world)
    if not control_thread[0]:
        raise CannotJudge("calls are run in order where control is installed")
    tasks = sorted({step.task for step in steps})
    # Numbered without gaps: a task that has no call in this order is not there.
    numbers = {task: number for number, task in enumerate(tasks)}
    scheduler = _InOrder([numbers[step.task] for step in steps])
    execution = Execution(scheduler, no_points(), preemptive=False, max_events=_MOST_EVENTS)
    if moment:
        execution.clock.advance_to(moment)
    for task in tasks:
        mine = [(place, step) for place, step in enumerate(steps) if step.task == task]
        execution.add_task(partial(_perform, run, execution, scheduler, mine, numbers[task]), f"task-{task}")
    outcome = execution.run()
    if outcome.uncontrolled:
        raise CannotJudge(outcome.uncontrolled)
    return run


def _perform(
    run: SerialRun, execution: Execution, scheduler: _InOrder, mine: Sequence[tuple[int, Step]], number: int
) -> None:
    for place, step in mine:
        execution.point(op.YIELD, None, _GATE, 0)
        if not scheduler.may_begin(number, place):
            # An earlier call of the order has not begun, since its task waits.
            return
        run.timed = bool(execution.timed)
        if step.late and execution.timed:
            last = max(task.deadline or 0.0 for task in execution.timed)
            execution.sleep(max(0.0, last - execution.clock.now) + 1e-6, 0)
            execution.point(op.YIELD, None, None, 0)
        run.ended_before[step.number] = frozenset(run.ended)
        run.pending.add(step.number)
        result = run.world.call(step.operation, step.task)
        run.pending.discard(step.number)
        run.ended[step.number] = came_to(result, run.world.instance)
