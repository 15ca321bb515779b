"""Steps from a scenario to a simpler one of the same shape."""

from __future__ import annotations

from typing import cast

from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.targets.model import scenario_edits
from semafuzz.targets.model.protocol import OperationInfo, Plain, Target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.scenario_edits import moved_faults, simpler_values, under_defaults

SIZES: tuple[Plain, ...] = (1, 2, 4)


class Described:
    """As much of a target as these steps ask for."""

    def operations(self) -> list[OperationInfo]:
        return [
            OperationInfo("take", True, "new", "new", True, 2, {"size": SIZES}),
            OperationInfo("audit"),
        ]

    def setup_arguments(self) -> dict[str, tuple[Plain, ...]]:
        return {"flavor": (0, 1, 2)}


TARGET = cast(Target, Described())


def take(size: int) -> Operation:
    return Operation("take", {"instance": 1, "size": size})


def scenario(size: int, flavor: int = 0, configuration: dict[str, Value] | None = None) -> Scenario:
    setup = (Operation("instance", {"instance": 1, "role": "new", "flavor": flavor}),)
    return Scenario(Operations(setup, ((take(size),), (Operation("audit"),))), configuration or {})


def fault(call: int) -> Operation:
    return Operation("deadlock", {"task": 1, "call": call})


def test_a_fault_moves_by_one_call_and_never_before_the_first() -> None:
    base = scenario(1)
    at = Scenario(base.content, {"ratio": 2}, (fault(1), fault(3)))
    assert [(one.configuration, one.faults) for one in moved_faults(at)] == [
        ({"ratio": 2}, (fault(2), fault(3))),
        ({"ratio": 2}, (fault(1), fault(2))),
        ({"ratio": 2}, (fault(1), fault(4))),
    ]
    assert moved_faults(base) == []
    fourth = Scenario(base.content, {}, (fault(4),))
    assert [one.faults[0] for one in moved_faults(fourth, 2)] == [fault(3), fault(5), fault(2)]
    assert [one.faults[0] for one in moved_faults(fourth, 9)] == [fault(3), fault(5), fault(2), fault(1)]


def test_a_value_becomes_the_first_or_the_one_before() -> None:
    assert list(simpler_values(scenario(4, 2), TARGET)) == [
        scenario(4, 0), scenario(4, 1), scenario(1, 2), scenario(2, 2),
    ]  # fmt: skip
    assert list(simpler_values(scenario(2), TARGET)) == [scenario(1)]
    assert list(simpler_values(scenario(1), TARGET)) == []
    assert list(simpler_values(scenario(77), TARGET)) == [], "a value that the table does not know"


def test_without_options_every_combination_of_values_is_tried() -> None:
    made = list(under_defaults(scenario(4, configuration={"ratio": 2}), TARGET))
    assert all(one.configuration == {} for one in made)
    assert [one for one in made if len(one.content.tasks) == 2] == [scenario(size) for size in (1, 2, 4)]
    assert [one.content for one in made].count(Operations((), ((Operation("audit"),),))) == 1
    assert list(under_defaults(scenario(4), TARGET)) == [], "there is no option to leave out"


def test_too_many_combinations_are_not_begun() -> None:
    many = tuple(take(4) for _ in range(4))
    base = Scenario(Operations(scenario(4).content.setup, (many, (Operation("audit"),))), {"ratio": 2})
    sizes = {sum(map(len, one.content.tasks)) for one in under_defaults(base, TARGET)}
    assert len(SIZES) ** 4 > scenario_edits.MANY >= len(SIZES) ** 3
    assert 5 not in sizes
