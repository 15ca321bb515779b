"""Follow-up of a wrong state: one more operation after a run that left it.

A warning says that something is wrong until the next audit. Whether that is harmless
shows when the target goes on working: the same schedule again, and one of its operations
after the last task has ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.schedulers.replay.by_operation import ReplayByOperation
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.legality import is_legal
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget, OperationInfo, Plain, Target
from semafuzz.targets.model.scenario import Scenario


def consequences(
    scenario: Scenario, outcome: Outcome, target: Target, opened: OpenTarget, setting: ExecutionConfig
) -> Iterator[tuple[Scenario, Outcome]]:
    """Each longer program, and its run. ``outcome``: a run of ``scenario``, whose choices
    are made again; where a new instance moves them, the run is another one, as legal."""
    choices = choices_of(outcome)
    for longer in continued(scenario, _last_to_end(outcome), target):
        scheduler = ReplayByOperation(choices)
        scheduler.begin(0)
        try:
            yield longer, execute(opened.program(longer), scheduler, setting)
        except ImpossibleStartError:
            continue


def continued(scenario: Scenario, task: int, target: Target) -> Iterator[Scenario]:
    """Every legal program with one operation more at the end of a task: on each of its
    instances, and on one more. That is described like the first, and also in the second
    best way: where a first one has taken all there is of something, there is no other."""
    content, table = scenario.content, target.operations()
    numbers = [int(one.arguments["instance"] or 0) for one in content.setup]
    for info in table:
        arguments = {name: values[0] for name, values in info.arguments.items()}
        for number in numbers if info.on_instance else [0]:
            added = Operation(info.name, {**({"instance": number} if number else {}), **arguments})
            yield from _longer(scenario, task, added, content.setup, table)
        if info.on_instance and info.before in target.roles():
            number = max(numbers, default=0) + 1
            for described in _descriptions(content, target):
                made = Operation("instance", {**described, "instance": number, "role": info.before})
                added = Operation(info.name, {"instance": number, **arguments})
                yield from _longer(scenario, task, added, (*content.setup, made), table)


def _descriptions(content: Operations, target: Target) -> list[dict[str, Plain]]:
    """How one more instance may be described."""
    values = target.setup_arguments()
    if not content.setup:
        return [{name: one[0] for name, one in values.items()}]
    like_first = {name: content.setup[0].arguments[name] for name in values}
    second = {name: one[-2] if len(one) > 1 else one[-1] for name, one in values.items()}
    return [like_first] if second == like_first else [like_first, second]


def _longer(
    scenario: Scenario, task: int, added: Operation, setup: tuple[Operation, ...], table: Sequence[OperationInfo]
) -> Iterator[Scenario]:
    tasks = tuple((*one, added) if place == task else one for place, one in enumerate(scenario.content.tasks))
    longer = Operations(setup, tasks)
    if is_legal(longer, table):
        yield Scenario(longer, scenario.configuration, scenario.faults)


def _last_to_end(outcome: Outcome) -> int:
    """The task of the program that ended last."""
    return next((task.index for kind, task, _, _, _ in reversed(outcome.events) if kind == op.END), 0)
