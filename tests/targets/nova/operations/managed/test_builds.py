"""Builds, rebuilds and deletions by Nova's own compute manager."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest

pytest.importorskip("nova")

from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.nova.operations.table import TABLE
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.stubs import captured_faults
from semafuzz.targets.nova.world.world import World

pytestmark = pytest.mark.nova
ENDS = {
    "boot": ("host1", "active", None),
    "boot_fails": (None, "building", "scheduling"),
    "rebuild": ("host1", "active", None),
    "terminate": ("host1", "deleted", None),
}
"""Host and states of the instance."""


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened:
        yield opened


def started(nova: OpenTarget, name: str, flavor: int = 1, world: str = "fast") -> NovaStage:
    arguments: dict[str, Value] = {"instance": 1, "role": TABLE[name].before, "flavor": flavor}
    stage = nova.stage([Operation("instance", arguments)], {"world": world})  # type: ignore[attr-defined]
    assert isinstance(stage, NovaStage)
    stage.restore()
    return stage


def failed_builds(world: World) -> int:
    return int(world.hosts[HERE.host].tracker.stats[HERE.node].get("failed_builds", 0))


@pytest.mark.parametrize("world", ["fast", "real"])
@pytest.mark.parametrize("flavor", [1, 3, 11])
@pytest.mark.parametrize("name", ENDS)
def test_where_it_ends(nova: OpenTarget, name: str, flavor: int, world: str) -> None:
    stage = started(nova, name, flavor, world)
    operation = Operation(name, {"instance": 1})
    stage.perform(operation)
    made = stage._world
    row = made.conductor.tables["instance"][made.uuid(1)]
    assert (row["host"], row["vm_state"], row["task_state"]) == ENDS[name]
    assert (made.uuid(1) in made.placement.allocations) == (name in ("boot", "rebuild"))
    assert failed_builds(made) == (name == "boot_fails")
    assert stage.judge([[operation]], []) == []


def test_a_build_that_finds_no_room_is_refused_and_counted(nova: OpenTarget) -> None:
    from nova import exception

    stage = started(nova, "boot", 3)
    made = stage._world
    tracker = made.hosts[HERE.host].tracker
    no_room = exception.ComputeResourcesUnavailable(reason="no room")
    with mock.patch.object(tracker, "instance_claim", side_effect=no_room), pytest.raises(stage.refusals):
        stage.perform(Operation("boot", {"instance": 1}))
    assert failed_builds(made) == 1
    assert made.conductor.tables["instance"][made.uuid(1)]["host"] is None


@pytest.mark.parametrize("name", ["boot", "boot_fails"])
def test_what_the_manager_swallows_is_raised(nova: OpenTarget, name: str) -> None:
    stage = started(nova, name)
    tracker = stage._world.hosts[HERE.host].tracker
    with mock.patch.object(tracker, "instance_claim", side_effect=ZeroDivisionError), pytest.raises(ZeroDivisionError):
        stage.perform(Operation(name, {"instance": 1}))


def test_nothing_is_heard_outside_of_a_build(nova: OpenTarget) -> None:
    stage = started(nova, "boot")
    stage.perform(Operation("boot", {"instance": 1}))
    with captured_faults() as told:
        stage.perform(Operation("audit"))
    assert told == []
