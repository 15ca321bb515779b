"""What once was reported and was the world's fault, not the tracker's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.nova.invariants import expected_claims
from tests.targets.nova.conftest import Opened

pytestmark = pytest.mark.nova


def errors(nova: Opened, role: str, *operations: str, faults: tuple[Operation, ...] = ()) -> list[Failure]:
    """What one task with these operations on one instance shows."""
    setup = (Operation("instance", {"instance": 1, "role": role, "flavor": 1}),)
    tasks = (tuple(Operation(name, {"instance": 1}) for name in operations),)
    opened, laboratory = nova
    program = opened.program(Scenario(Operations(setup, tasks), {}, faults))
    outcome = execute(program, SerialOrder((0,)), ExecutionConfig(bytearray(max(1 << 16, 2 * len(SITES)))))
    laboratory.control.between_executions()
    return [one for one in outcome.failures if one.severity == "error"]


@pytest.mark.parametrize("fault", ["conductor_timeout", "db_deadlock"])
def test_an_offloaded_instance_whose_host_could_not_be_saved_holds_nothing(nova: Opened, fault: str) -> None:
    for call in range(1, 10):
        planned = (Operation(fault, {"task": 0, "call": call}),)
        assert errors(nova, "active", "shelve", faults=planned) == [], call


@pytest.mark.parametrize("move", ["resize_away", "live_migrate_away"])
def test_nothing_moves_to_a_host_that_is_down(nova: Opened, move: str) -> None:
    assert errors(nova, "there", "evacuate_here", move) == []


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        ({"vm_state": "active", "task_state": None}, True),
        ({"vm_state": "deleted", "task_state": None}, False),
        ({"vm_state": "shelved_offloaded", "task_state": "shelving_offloading"}, False),
        ({"vm_state": "shelved_offloaded", "task_state": "spawning"}, True),
    ],
)
def test_which_rows_hold_something(row: Mapping[str, Any], holds: bool) -> None:
    assert expected_claims._holds_nothing(row) is not holds
