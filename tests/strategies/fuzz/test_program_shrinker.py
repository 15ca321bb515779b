"""The program half of shrinking, with a stand-in for executions."""

from __future__ import annotations

from typing import cast

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.fuzz.program_shrinker import ProgramShrinker
from semafuzz.targets.model.protocol import OperationInfo, Target
from semafuzz.targets.model.scenario import Scenario


class Described:
    """As much of a target as the reduction asks for, without Hypothesis."""

    def operations(self) -> list[OperationInfo]:
        return [OperationInfo(name) for name in ("count", "audit", "noise")]

    def roles(self) -> tuple[str, ...]:
        return ()

    def setup_arguments(self) -> dict[str, tuple[int, ...]]:
        return {}

    def options(self) -> tuple[()]:
        return ()


def program(*tasks: str) -> Scenario:
    return Scenario(Operations((), tuple(tuple(Operation(name) for name in task.split()) for task in tasks)))


START = program("noise count", "audit noise audit", "noise", "count count")


class Asked:
    """Fails where one task counts and another one audits; notes what it was asked."""

    def __init__(self) -> None:
        self.scenarios: list[Scenario] = []

    def seek(self, scenario: Scenario) -> Outcome | None:
        self.scenarios.append(scenario)
        names = [{one.name for one in task} for task in scenario.content.tasks]
        needed = any("count" in one and "audit" in other for one in names for other in names if one is not other)
        return Outcome() if needed else None

    def reduce(self, scenario: Scenario, most: int = 1000) -> Scenario:
        reduction = ProgramShrinker(cast(Target, Described()), self.seek, lambda: len(self.scenarios) >= most)
        given = Outcome()
        smallest, outcome = reduction.reduce(scenario, given, None)
        assert (outcome is given) == (smallest == scenario), "the run belongs to what is returned"
        return smallest


def test_what_the_failure_does_not_need_is_taken_away() -> None:
    asked = Asked()
    smallest = asked.reduce(START)
    assert smallest in (program("count", "audit"), program("audit", "count"))
    assert len({repr(one) for one in asked.scenarios}) == len(asked.scenarios), "nothing is asked twice"
    assert Asked().reduce(smallest) == smallest


def test_two_tasks_become_one_where_no_concurrency_is_needed() -> None:
    reduction = ProgramShrinker(
        cast(Target, Described()),
        lambda one: Outcome() if len([op for task in one.content.tasks for op in task]) >= 2 else None,
        lambda: False,
    )
    smallest, _ = reduction.reduce(program("count", "audit noise"), Outcome(), None)
    assert len(smallest.content.tasks) == 1
    assert len(smallest.content.tasks[0]) == 2


def test_an_operation_before_a_fault_goes_with_all_its_calls() -> None:
    calls = {"noise": 3, "count": 2}

    def seek(scenario: Scenario) -> Outcome | None:
        """Fails where the second call of a ``count`` goes wrong."""
        made = [(one.name, call) for one in scenario.content.tasks[0] for call in range(calls[one.name])]
        met = [made[int(fault.arguments["call"] or 0) - 1 :][:1] for fault in scenario.faults]
        return Outcome() if [("count", 1)] in met else None

    start = program("noise count")
    failing = Scenario(start.content, {}, (Operation("lost", {"task": 0, "call": 5}),))
    smallest, _ = ProgramShrinker(cast(Target, Described()), seek, lambda: False).reduce(failing, Outcome(), None)
    assert smallest == Scenario(program("count").content, {}, (Operation("lost", {"task": 0, "call": 2}),))


def test_a_used_up_budget_keeps_what_there_is() -> None:
    asked = Asked()
    assert asked.reduce(START, most=0) == START
    assert asked.scenarios == []
    asked.reduce(START, most=3)
    assert len(asked.scenarios) == 3
