"""Programs from a target's operation table, as Hypothesis strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hypothesis import strategies as st

from harness.traces.schema import Operation, Operations
from targets.protocol import OperationInfo, Plain

MAX_TASKS = 4
MAX_OPERATIONS = 3
MAX_INSTANCES = 3


@st.composite
def programs(
    draw: st.DrawFn,
    table: Sequence[OperationInfo],
    roles: Sequence[str],
    setup_arguments: Mapping[str, Sequence[Plain]] = MappingProxyType({}),
    *,
    max_tasks: int = MAX_TASKS,
    max_operations: int = MAX_OPERATIONS,
) -> Operations:
    """Two to ``max_tasks`` tasks of one to ``max_operations`` operations each, on
    shared and on separate instances, in an order that the target can meet.

    Shrinks towards two tasks of one operation on no instance.
    """
    count = draw(st.integers(0, MAX_INSTANCES)) if roles else 0
    setup = [
        Operation(
            "instance",
            {
                "instance": number,
                "role": draw(st.sampled_from(list(roles))),
                **{name: draw(st.sampled_from(list(values))) for name, values in setup_arguments.items()},
            },
        )
        for number in range(1, count + 1)
    ]
    start = {number: str(one.arguments["role"]) for number, one in enumerate(setup, 1)}
    owner: dict[int, int] = {}
    tasks = []
    for task in range(draw(st.integers(2, max_tasks))):
        held = dict(start)
        operations = []
        for _ in range(draw(st.integers(1, max_operations))):
            choices = _choices(table, held, owner, task)
            info, instance = draw(st.sampled_from(choices))
            if instance:
                held[instance] = info.after
                if not info.shared:
                    owner[instance] = task
            drawn = {name: draw(st.sampled_from(list(values))) for name, values in info.arguments.items()}
            operations.append(Operation(info.name, {"instance": instance, **drawn} if instance else drawn))
        tasks.append(tuple(operations))
    used = {one.arguments.get("instance") for task_operations in tasks for one in task_operations}
    return Operations(tuple(one for one in setup if one.arguments["instance"] in used), tuple(tasks))


def _choices(
    table: Sequence[OperationInfo], held: dict[int, str], owner: dict[int, int], task: int
) -> list[tuple[OperationInfo, int]]:
    """What this task may do next, each as often as its weight says."""
    found: list[tuple[OperationInfo, int]] = []
    for info in table:
        if not info.on_instance:
            found += [(info, 0)] * info.weight
            continue
        for instance, role in held.items():
            mine = info.shared or owner.get(instance, task) == task
            if role == info.before and mine:
                found += [(info, instance)] * info.weight
    return found
