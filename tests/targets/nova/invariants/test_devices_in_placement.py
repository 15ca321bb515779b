"""I13 where placement is told of PCI devices: it fires where what an instance owns and what it holds there differ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from semafuzz.harness.runs.session import controlled_session
from semafuzz.targets import find_target
from semafuzz.targets.nova.configuration import put_in_force
from semafuzz.targets.nova.invariants.records import placement_violations
from semafuzz.targets.nova.operations.table import set_up
from semafuzz.targets.nova.world.world import World

pytestmark = pytest.mark.nova


@pytest.fixture
def world() -> Iterator[World]:
    """An instance with a card."""
    with find_target("nova").open() as opened, controlled_session(opened.modules):
        made = World({"report_in_placement": True}, pci=True)
        set_up(made, {"instance": 1, "role": "active", "flavor": 11})
        yield made
        put_in_force({})


def names(world: World) -> set[str]:
    return {violation.name for violation in placement_violations(world)}


def test_devices_that_are_held_are_owned(world: World) -> None:
    ((_, (generation, amounts, *rest)),) = world.placement.allocations.items()
    assert len(amounts.keys() & world.placement.nested_providers().keys()) == 1
    assert names(world) == set()
    without = {uuid: one for uuid, one in amounts.items() if uuid not in world.placement.nested_providers()}
    (consumer,) = world.placement.allocations
    world.placement.allocations[consumer] = (generation, without, *rest)
    assert names(world) == {"I13 devices"}


def test_what_is_not_owned_any_more_is_noticed(world: World) -> None:
    (owned,) = (row for row in world.conductor.rows("pci_device") if row["instance_uuid"])
    owned.update(instance_uuid=None, status="available")
    assert names(world) == {"I13 devices"}
