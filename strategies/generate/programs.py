"""Programs from a target's operation table, as Hypothesis strategies.

What is drawn is a wish for each operation, independent of all others; the wishes are
then made legal in their order. So Hypothesis can leave any of them out and the others
keep their meaning, which is what makes its shrinking work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hypothesis import reject
from hypothesis import strategies as st

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.protocol import OperationInfo, Plain

MAX_TASKS = 4
MAX_OPERATIONS = 3
MAX_INSTANCES = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """An operation, the instance that it is on if that can be, and its arguments."""

    info: OperationInfo
    instance: int
    arguments: dict[str, Plain]

    def __repr__(self) -> str:
        parts = [str(self.instance)] if self.instance else []
        return f"{self.info.name}({', '.join(parts + [f'{name}={value}' for name, value in self.arguments.items()])})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For Hypothesis, which else prints the fields of dataclasses."""
        printer.text(repr(self))


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
    """Up to ``max_tasks`` tasks of one to ``max_operations`` operations each, on
    shared and on separate instances, in an order that the target can meet. Those of
    one task have one schedule and show what needs no concurrency.

    Shrinks towards one task of one operation, the first of the table.
    """
    weighted = [info for info in table for _ in range(info.weight)]
    # Most failures take one operation in each of two tasks.
    most = draw(st.sampled_from([1, 1, max_operations]))
    tasks = draw(st.lists(st.lists(wishes(weighted), min_size=1, max_size=most), min_size=1, max_size=max_tasks))
    described = [
        {name: draw(st.sampled_from(list(values))) for name, values in setup_arguments.items()}
        for _ in range(MAX_INSTANCES if roles else 0)
    ]
    made = granted(tasks, roles, described)
    return reject() if made is None else made


def granted(
    tasks: Sequence[Sequence[Wish]], roles: Sequence[str], described: Sequence[Mapping[str, Plain]]
) -> Operations | None:
    """The program of what is wished for, made legal in its order; None where nothing
    of it is. ``described``: each instance's set-up, as many as may be needed."""
    making = _Making(roles)
    made = [tuple(making.task(number, wishes)) for number, wishes in enumerate(tasks)]
    if not any(made):
        return None
    setup = [
        Operation("instance", {"instance": number, "role": role, **described[number - 1]})
        for number, role in sorted(making.start.items())
    ]
    return Operations(tuple(setup), tuple(task for task in made if task))


@st.composite
def wishes(draw: st.DrawFn, weighted: Sequence[OperationInfo]) -> Wish:
    """Any operation of ``weighted``, in which it may stand more than once."""
    info = draw(st.sampled_from(weighted))
    instance = draw(st.integers(1, MAX_INSTANCES)) if info.on_instance else 0
    return Wish(info, instance, {name: draw(st.sampled_from(list(values))) for name, values in info.arguments.items()})


def from_on(instance: int) -> list[int]:
    """The numbers of all instances, beginning with this one."""
    return [(other - 1) % MAX_INSTANCES + 1 for other in range(instance, instance + MAX_INSTANCES)]


@dataclass(slots=True)
class _Making:
    """A program under way. ``start``: the role in which each instance begins, which
    the first operation on it decides; ``owner``: the task that changes its role."""

    roles: Sequence[str]
    start: dict[int, str] = field(default_factory=dict)
    owner: dict[int, int] = field(default_factory=dict)

    def task(self, number: int, wishes: Sequence[Wish]) -> list[Operation]:
        """The operations of one task; a wish that no instance can meet is left out."""
        changed: dict[int, str] = {}
        made = []
        for wish in wishes:
            info, arguments = wish.info, wish.arguments
            if not info.on_instance:
                made.append(Operation(info.name, dict(arguments)))
                continue
            instance = next((one for one in from_on(wish.instance) if self._fits(info, one, number, changed)), 0)
            if instance:
                self.start.setdefault(instance, info.before)
                changed[instance] = info.after
                if not info.shared:
                    self.owner[instance] = number
                made.append(Operation(info.name, {"instance": instance, **arguments}))
        return made

    def _fits(self, info: OperationInfo, instance: int, task: int, changed: Mapping[int, str]) -> bool:
        if instance not in self.start:
            return info.before in self.roles
        mine = info.shared or self.owner.get(instance, task) == task
        return mine and changed.get(instance, self.start[instance]) == info.before
