"""What a wrong state leads to: one more operation after a run that left it.

A warning says that something is wrong until the next audit. Whether that is harmless
shows when the target goes on working: the same schedule again, and one of its operations
after the last task has ended.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.kernel import operations as op
from harness.kernel.outcome import Outcome
from harness.program import Setting, execute
from harness.schedulers.follow import Follow
from harness.traces.build import choices_of
from harness.traces.schema import Operation, Operations
from targets.legality import is_legal
from targets.protocol import ImpossibleStartError, OpenTarget, Target
from targets.scenario import Scenario


def consequences(
    scenario: Scenario, outcome: Outcome, target: Target, opened: OpenTarget, setting: Setting
) -> Iterator[tuple[Scenario, Outcome]]:
    """Each longer program, and its run. ``outcome``: a run of ``scenario``, whose choices
    are made again; where a new instance moves them, the run is another one, as legal."""
    choices = choices_of(outcome)
    for longer in continued(scenario, _last_to_end(outcome), target):
        scheduler = Follow(choices)
        scheduler.begin(0)
        try:
            yield longer, execute(opened.program(longer), scheduler, setting)
        except ImpossibleStartError:
            continue


def continued(scenario: Scenario, task: int, target: Target) -> Iterator[Scenario]:
    """Every legal program with one operation more at the end of a task: on each of its
    instances, and on one more that is described like the first."""
    content, table = scenario.content, target.operations()
    numbers = [int(one.arguments["instance"] or 0) for one in content.setup]
    for info in table:
        arguments = {name: values[0] for name, values in info.arguments.items()}
        for number in (*numbers, max(numbers, default=0) + 1) if info.on_instance else (0,):
            setup = content.setup
            if number and number not in numbers:
                if info.before not in target.roles():
                    continue
                described = (
                    setup[0].arguments if setup else {name: v[0] for name, v in target.setup_arguments().items()}
                )
                setup = (*setup, Operation("instance", {**described, "instance": number, "role": info.before}))
            added = Operation(info.name, {**({"instance": number} if number else {}), **arguments})
            tasks = tuple((*one, added) if place == task else one for place, one in enumerate(content.tasks))
            longer = Operations(setup, tasks)
            if is_legal(longer, table):
                yield Scenario(longer, scenario.configuration, scenario.faults)


def _last_to_end(outcome: Outcome) -> int:
    """The task of the program that ended last."""
    return next((task.index for kind, task, _, _, _ in reversed(outcome.events) if kind == op.END), 0)
