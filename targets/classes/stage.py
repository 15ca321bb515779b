"""Programs of a class's methods: run on one instance, and judged by the class's own serial runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType, ModuleType

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Failure, LimitKind, Outcome
from semafuzz.harness.kernel.task_errors import describe_exception, message_of
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.calls import Call, History, World, came_to, told_by_task
from semafuzz.targets.classes.linearizability import (
    SerialOrders,
    TooManyOrders,
    difference,
    explains,
    explains_results,
    serial_outcomes,
)
from semafuzz.targets.classes.shape import Shape, Snapshot, combined, snapshot
from semafuzz.targets.classes.specification import Subject
from semafuzz.targets.model.fault_plan import FaultPlan, check_faults
from semafuzz.targets.model.protocol import FaultInfo, ImpossibleStartError
from semafuzz.targets.model.scenario import Scenario, describe, describe_operation
from semafuzz.targets.model.staged_program import mark

Operations = Sequence[Operation]
_MOST_KEPT = 5000
"""Outcomes of one program whose judgement is kept."""


class ClassProgram(Program):
    """The tasks of a scenario on a new instance. ``judge``: what makes it, and judges what comes of it."""

    def __init__(
        self,
        scenario: Scenario,
        judge: Judge,
        modules: Sequence[ModuleType],
        faults: Mapping[str, FaultInfo] = MappingProxyType({}),
    ) -> None:
        check_faults(faults, scenario.faults, len(scenario.content.tasks))
        self._faults = faults
        self.scenario = scenario
        self.name = describe(scenario)
        self.under_test = modules
        self._judge = judge

    def execute(self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None) -> Outcome:
        """Make an instance, run all tasks, and judge what they came to and what they leave."""
        world = self._judge.subject.world(self._judge.before)
        if self._judge.subject.failure:
            if self._judge.before:
                raise ImpossibleStartError(f"the calls before cannot be made: {self._judge.subject.failure}")
            raise UsageError(
                f"no instance can be made: {self._judge.subject.failure}; say what it is made with by "
                "@semafuzz.arguments(...) on __init__"
            )
        history = History.of(self.scenario.content.tasks)
        execution = setting.execution(scheduler, forced)
        plan = FaultPlan(self._faults, self.scenario.faults)
        if self.scenario.faults:
            execution.on_io = plan.meet
        for number in range(len(self.scenario.content.tasks)):
            mine = [call for call in history.calls if call.task == number]
            execution.add_task(partial(_perform, world, history, mine, plan), f"task-{number}")
        outcome = execution.run()
        if not outcome.uncontrolled:
            unjudged = self._not_to_be_judged(outcome, world)
            if unjudged is None:
                outcome.failures[:] = self._judge.judge(history, world, outcome.failures)
            else:
                # Serial runs do not tell what is right here: only what fails by itself is said, and waiting that
                # serial runs do not know, where these have no more threads than this one.
                waits = bool(outcome.failures) and all(one.kind == "deadlock" for one in outcome.failures)
                if waits and len(outcome.tasks) == len(self.scenario.content.tasks) and world.has_threads:
                    outcome.failures[:] = self._judge.judge(history, world, outcome.failures)
                else:
                    outcome.failures[:] = [failure for failure in outcome.failures if failure.kind != "deadlock"]
                outcome.limits.setdefault(unjudged, 0)
        return outcome

    def _not_to_be_judged(self, outcome: Outcome, world: World) -> tuple[LimitKind, str] | None:
        """Why no serial run can be compared with this one, as a limit; None where they can."""
        if world.has_threads or len(outcome.tasks) > len(self.scenario.content.tasks):
            return "state", "the class starts threads, which end with each part of a run; its results were not compared"
        if any(kind == "random" for kind, _ in outcome.limits):
            return "state", "random numbers took part; results were not compared"
        kinds = {event[0] for event in outcome.events}
        if op.CLOCK in kinds and (op.SLEEP in kinds or outcome.early_timeouts):
            return "state", "time passed while calls ran that ask for it; results were not compared"
        return None


def _perform(world: World, history: History, calls: Sequence[Call], plan: FaultPlan) -> None:
    for call in calls:
        text = describe_operation(call.operation)
        mark(op.OPERATION, text)
        history.begin(call)
        before = plan.raised(call.task)
        result = world.call(call.operation, call.task)
        call.faulted = plan.raised(call.task) > before
        history.end(call, came_to(result, world.instance))
        mark(op.OPERATION_END, text)


@dataclass(slots=True)
class Judge:
    """Judges the runs of one program; what two runs have in common is judged once. ``before``: the calls that
    were made to the instance; ``measure``: whose serial runs say what is right, the class itself but for mutants."""

    subject: Subject
    before: Operations
    measure: Subject
    _orders: SerialOrders | None = None
    _known: dict[Shape, list[Failure]] = field(default_factory=dict)

    def judge(self, history: History, world: World, failures: Sequence[Failure]) -> list[Failure]:
        """The failures of a run: those that it has, but for waiting that serial runs know as well, or that no
        serial order comes to the same."""
        waits = bool(failures) and all(failure.kind == "deadlock" for failure in failures)
        if failures and not waits:
            return list(failures)
        if self._orders is None:
            numbered = [(call.task, call.operation) for call in history.calls]
            self._orders = SerialOrders(self.measure, self.before, numbered)
        key = self._key(history, world, waits)
        found = self._known.get(key)
        if found is None:
            try:
                found = self._look(self._orders, history, world, waits=waits)
            except TooManyOrders:
                found = []
            if len(self._known) < _MOST_KEPT:
                self._known[key] = found
        return list(failures) if waits and found else list(found)

    def _key(self, history: History, world: World, waits: bool) -> Shape:
        """What the judgement depends on."""
        ended = [call.came_to.value if call.came_to is not None else Snapshot((), ()) for call in history.calls]
        begun = tuple(call.number for call in history.calls if call.begun >= 0)
        faulted = tuple(call.number for call in history.calls if call.faulted)
        state = snapshot(world.instance)
        return (waits, begun, faulted, history.order(), combined([*ended, state]), self.subject.raw(world))

    def _look(self, orders: SerialOrders, history: History, world: World, *, waits: bool) -> list[Failure]:
        relaxed, calls = self.measure.relaxed, history.calls
        if waits:
            return [] if explains_results(orders, calls) else [_failure(orders, calls, "waits for ever")]
        results = [None if call.faulted or call.operation.name in relaxed else call.came_to for call in calls]
        if explains(orders, calls, self.measure.final(results, world)):
            return []
        return [_failure(orders, calls, difference(orders, calls))]


_MESSAGES = {
    "results": "no serial order of these calls gives these results",
    "state": "no serial order of these calls leaves this state",
}


def _failure(orders: SerialOrders, calls: Sequence[Call], what: str) -> Failure:
    """``what``: as :func:`difference` says it."""
    came_to = told_by_task(calls)
    detail = (*(f"task-{number}: {line}" for number, line in enumerate(came_to)), *_serially(orders))
    raised = [call.came_to.error for call in calls if call.came_to is not None and call.came_to.error is not None]
    error = next((one for one in raised if what == f"raises {type(one).__name__}"), None)
    if error is not None:
        _, sites, _, _ = describe_exception(error)
        message = f"no serial order of these calls raises {message_of(error)}"
        return Failure("atomicity", message, "", sites, what, detail)
    return Failure("atomicity", f"{_MESSAGES.get(what, what)}: {' || '.join(came_to)}", "", (), what, detail)


def _serially(orders: SerialOrders) -> list[str]:
    try:
        return [f"serially: {line}" for line in serial_outcomes(orders)]
    except TooManyOrders:
        return []
