"""Generated programs are legal, varied, and the same for one seed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.generate.hypothesis_runs import generate
from semafuzz.strategies.generate.programs import MAX_OPERATIONS, MAX_TASKS, programs
from semafuzz.targets.model.legality import is_legal, renumbered, smaller_programs, without_unused
from semafuzz.targets.model.protocol import OperationInfo
from semafuzz.targets.model.scenario import Scenario

TABLE = [
    OperationInfo("make", True, "new", "made", False, 2),
    OperationInfo("look", True, "made", "made", True, 1),
    OperationInfo("drop", True, "made", "gone", False, 1),
    OperationInfo("audit", False, "", "", False, 3),
]
ROLES = ["new", "made"]


@settings(max_examples=300)
@given(programs(TABLE, ROLES))
def test_every_program_is_legal(content: Operations) -> None:
    assert is_legal(content, TABLE)
    assert 1 <= len(content.tasks) <= MAX_TASKS
    assert all(1 <= len(task) <= MAX_OPERATIONS for task in content.tasks)
    used = {one.arguments.get("instance") for task in content.tasks for one in task}
    assert all(one.arguments["instance"] in used for one in content.setup)


def collected(seed: int) -> list[Operations]:
    found: list[Operations] = []

    def consume(content: Operations) -> bool:
        found.append(content)
        return len(found) < 200

    assert generate(programs(TABLE, ROLES), consume, seed=seed, most=1000) == 200
    return found


def test_one_seed_one_sequence() -> None:
    assert collected(4) == collected(4)
    assert collected(4) != collected(5)


def test_every_operation_comes_up() -> None:
    names = Counter(one.name for content in collected(1) for task in content.tasks for one in task)
    assert set(names) == {"make", "look", "drop", "audit"}
    shared = [content for content in collected(1) if _on_one_instance_in_two_tasks(content)]
    assert shared


def _on_one_instance_in_two_tasks(content: Operations) -> bool:
    tasks = [{one.arguments.get("instance") for one in task} - {None} for task in content.tasks]
    return any(tasks[a] & tasks[b] for a in range(len(tasks)) for b in range(a))


def on(name: str, instance: int = 1) -> Operation:
    return Operation(name, {"instance": instance})


def start(role: str) -> tuple[Operation, ...]:
    return (Operation("instance", {"instance": 1, "role": role, "flavor": 1}),)


@pytest.mark.parametrize(
    ("content", "legal"),
    [
        (Operations(start("new"), ((on("make"), on("drop")), (Operation("audit"),))), True),
        (Operations(start("new"), ((on("drop"),),)), False),
        (Operations(start("new"), ((on("make"),), (on("drop"),))), False),
        (Operations(start("made"), ((on("look"),), (on("drop"),))), True),
        (Operations(start("made"), ((on("drop"),), (on("drop"),))), False),
        (Operations((), ((on("drop"),),)), False),
    ],
)
def test_legality(content: Operations, legal: bool) -> None:
    assert is_legal(content, TABLE) is legal


def test_smaller_programs_are_legal_and_smaller() -> None:
    content = Operations(start("new"), ((on("make"), on("drop")), (Operation("audit"), Operation("audit"))))
    smaller = smaller_programs(content, TABLE)
    assert Operations((), ((Operation("audit"), Operation("audit")),)) in smaller
    assert Operations(start("new"), ((on("make"),), (Operation("audit"), Operation("audit")))) in smaller
    assert all(is_legal(made, TABLE) for made in smaller)
    sizes = [sum(map(len, made.tasks)) for made in smaller]
    assert max(sizes) < 4
    idle = Operations(start("new"), ((), (Operation("audit"),)))
    assert without_unused(idle) == Operations((), ((Operation("audit"),),))


def test_an_instance_that_nothing_is_done_to_is_in_a_role_that_instances_can_start_in() -> None:
    """``drop`` leaves it gone, in which no set-up makes one: such a program ended a search."""
    content = Operations(start("made"), ((on("drop"), Operation("audit")),))
    smaller = smaller_programs(content, TABLE)
    assert Operations(start("made"), ((Operation("audit"),),)) in smaller
    assert all(one.arguments["role"] != "gone" for made in smaller for one in made.setup)


def test_a_feed_ends_when_its_examples_do() -> None:
    assert generate(programs(TABLE, ROLES), lambda content: True, seed=0, most=7) == 7


def test_instances_that_no_operation_names_are_counted_last() -> None:
    setup = tuple(Operation("instance", {"instance": number, "role": "made"}) for number in (2, 5, 7))
    made = renumbered(Scenario(Operations(setup, ((Operation("look", {"instance": 7}),), (Operation("audit"),)))))
    assert [one.arguments["instance"] for one in made.content.setup] == [1, 2, 3]
    assert made.content.tasks[0][0].arguments == {"instance": 1}
