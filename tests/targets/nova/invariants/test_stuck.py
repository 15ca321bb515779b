"""Instances that nobody will ever move on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("nova")

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.nova.invariants.stuck import instances_to_rest, stuck_violations
from semafuzz.targets.nova.operations.table import TABLE
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.world import World

pytestmark = pytest.mark.nova


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened:
        yield opened


def started(nova: OpenTarget) -> World:
    stage = nova.stage([Operation("instance", {"instance": 1, "role": "active", "flavor": 1})], {})
    assert isinstance(stage, NovaStage)
    stage.restore()
    return stage._world


def test_what_is_in_the_midst_of_something_is_told(nova: OpenTarget) -> None:
    world = started(nova)
    assert list(stuck_violations(world, {1})) == []
    row = world.conductor.tables["instance"][world.uuid(1)]
    for state, task, told in (
        ("active", "migrating", ["I20 stuck migrating"]),
        ("building", None, ["I20 stuck building"]),
        ("error", "migrating", []),
        ("resized", None, []),
    ):
        row["vm_state"], row["task_state"] = state, task
        assert [one.name for one in stuck_violations(world, {1})] == told
    row["vm_state"], row["task_state"], row["host"] = "building", "scheduling", None
    assert list(stuck_violations(world, {1})) == [], "it waits for the conductor"
    assert list(stuck_violations(world, set())) == []


def test_which_instances_are_to_be_at_rest() -> None:
    claim, half = Operation("claim", {"instance": 1}), Operation("resize_claim", {"instance": 2})
    drop = Operation("drop_move_claim", {"instance": 3})
    assert instances_to_rest([[claim, Operation("audit")], [half], [drop]], TABLE) == {1, 3}


def test_a_build_that_fails_before_its_claim_is_stuck_only_with_a_fault(nova: OpenTarget) -> None:
    stage = nova.stage([Operation("instance", {"instance": 1, "role": "new", "flavor": 1})], {})
    assert isinstance(stage, NovaStage)
    stage.restore()
    row = stage._world.conductor.tables["instance"][stage._world.uuid(1)]
    row["task_state"] = None
    claim = Operation("claim", {"instance": 1})
    assert [one.error_type for one in stage.judge([[claim]], [])] == ["I20 stuck building"]
    fault = Operation("db_deadlock", {"task": 0, "call": 1})
    assert [one.severity for one in stage.judge([[claim]], [fault])] == ["warning"]
