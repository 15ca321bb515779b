"""Programs of a target's operations: executed from a start state, and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import ModuleType

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.frames import calling_site
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.model.fault_plan import FaultPlan, check_faults
from semafuzz.targets.model.protocol import FaultInfo, LackingWorldError, Stage
from semafuzz.targets.model.scenario import Scenario, describe, describe_operation


class StagedProgram(Program):
    """The tasks of a scenario, from its stage's start state, judged at the end."""

    def __init__(
        self, scenario: Scenario, stage: Stage, modules: Sequence[ModuleType], faults: Mapping[str, FaultInfo]
    ) -> None:
        check_faults(faults, scenario.faults, len(scenario.content.tasks))
        self.scenario = scenario
        self.name = describe(scenario)
        self.stage = stage
        self.under_test = modules
        self._faults = faults

    def execute(self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None) -> Outcome:
        """Run all tasks from the start state and judge what they leave. LackingWorldError where they asked for
        something to which the world has no answer."""
        outcome = self.run_controlled(scheduler, setting, forced)
        if self.stage.unanswered:
            # Whatever came of it says nothing about the code under test.
            raise LackingWorldError(self.stage.unanswered)
        if not outcome.failures and not outcome.uncontrolled:
            outcome.failures.extend(self.stage.judge(self.scenario.content.tasks, self.scenario.faults))
        return outcome

    def run_controlled(
        self, scheduler: Scheduler, setting: ExecutionConfig, forced: dict[int, bool] | None = None
    ) -> Outcome:
        """Run all tasks from the start state; the outcome is not judged."""
        self.stage.restore()
        execution = setting.execution(scheduler, forced)
        plan = FaultPlan(self._faults, self.scenario.faults)
        if self.scenario.faults:
            execution.on_io = plan.meet
        for number, operations in enumerate(self.scenario.content.tasks):
            execution.add_task(partial(perform_all, self.stage, operations, plan), f"task-{number}")
        return execution.run()

    def run_serially(self) -> None:
        """The same operations one after the other, without a kernel: what control
        costs is measured against this."""
        self.stage.restore()
        for operations in self.scenario.content.tasks:
            perform_all(self.stage, operations)


def perform_all(stage: Stage, operations: Sequence[Operation], plan: FaultPlan | None = None) -> None:
    """Perform operations one after the other, in the running task.

    Each is noted as it begins and ends. After one that was refused, or that a fault
    ended, what would follow on the same instance is left out, unless the instance is in the role that it needs.
    """
    refused: set[object] = set()
    for operation in operations:
        subject = operation.arguments.get("instance")
        if subject is not None and subject in refused and not stage.goes_on(operation):
            continue
        refused.discard(subject)
        if not perform(stage, operation, plan):
            refused.add(subject)


def perform(stage: Stage, operation: Operation, plan: FaultPlan | None = None) -> bool:
    """Perform one operation; False where it was refused or ended by a fault."""
    text = describe_operation(operation)
    mark(op.OPERATION, text)
    done = True
    try:
        stage.perform(operation)
    except stage.refusals:
        done = False
    except Exception as error:
        execution = current.execution
        if plan is None or execution is None or not plan.caused(execution.current.index, error):
            raise
        done = False
    mark(op.OPERATION_END, text)
    return done


def mark(kind: int, text: str) -> None:
    """Note that an operation begins or ends, in the running task."""
    execution = current.execution
    if execution is not None:
        execution.note(kind, None, text, calling_site(op.NOTE))
