"""I20: instances that nobody will ever move on.

Nothing is under way at the end of a program. An instance that is in the midst of something then stays there until an
operator resets its state: no periodic task of the manager takes up a build or a move of a running service (a build only
where ``instance_build_timeout`` is set, which it is not).

Not looked at: instances that a program itself leaves half way (a claim for a move that is not dropped), and those that
wait for the conductor (a build that is sent to another host). One in the state of an error says so itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.nova.invariants.checks import STUCK, Violation
from semafuzz.targets.nova.operations.spec import OperationSpec
from semafuzz.targets.nova.world.world import World

HALF_WAY = frozenset({"incoming", "arriving"})
"""Roles in which somebody outside of the program is expected to go on."""


def instances_to_rest(tasks: Sequence[Sequence[Operation]], table: Mapping[str, OperationSpec]) -> frozenset[int]:
    """The numbers of the instances that every operation of a program leaves at rest."""
    after: dict[int, Set[str]] = {}
    for operation in (one for task in tasks for one in task if "instance" in one.arguments):
        number = int(operation.arguments["instance"] or 0)
        after[number] = {*after.get(number, ()), table[operation.name].after}
    return frozenset(number for number, roles in after.items() if not roles & HALF_WAY)


def stuck_violations(world: World, numbers: Set[int]) -> Iterator[Violation]:
    """What these instances are still in the midst of."""
    for number in sorted(numbers):
        row = world.conductor.tables["instance"].get(world.uuid(number))
        if row is None or row["deleted"] or (row["task_state"] == "scheduling" and row["host"] is None):
            continue
        if row["vm_state"] == "error":
            # Whoever looks sees it.
            continue
        if row["task_state"] is not None or row["vm_state"] == "building":
            state = row["task_state"] or row["vm_state"]
            text = f"{row['uuid']} is {row['vm_state']} and {row['task_state']}, and nothing is under way"
            yield Violation(STUCK, f"stuck {state}", text)
