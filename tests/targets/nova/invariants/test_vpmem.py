"""Persistent memory: units are given out, come back, and each oracle fires on a state that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import ImpossibleStartError
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.nova.agreement import Opened, disagreements
from semafuzz.targets.nova.invariants.records import placement_violations
from semafuzz.targets.nova.invariants.usage import fingerprint, run_audit, usage_violations
from semafuzz.targets.nova.invariants.vpmem import given_out, vpmem_violations
from semafuzz.targets.nova.operations.table import HOST, NODE, TABLE, set_up
from semafuzz.targets.nova.releases import environments
from semafuzz.targets.nova.world import vpmem
from semafuzz.targets.nova.world.flavors import FLAVORS, SIMPLEST_FIRST, VPMEM_CLASS
from semafuzz.targets.nova.world.hypervisor import NODE_UUIDS
from semafuzz.targets.nova.world.names import OTHER
from semafuzz.targets.nova.world.world import Snapshot, World

pytestmark = pytest.mark.nova
PROVIDER = NODE_UUIDS[NODE]


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        yield opened, laboratory


@pytest.fixture(scope="module")
def start(nova: Opened) -> tuple[World, Snapshot]:
    """Instance 1 has a unit, 2 was resized away and holds one here and two there."""
    world = World(vpmem=True)
    for number, role in enumerate(["active", "leaving"], 1):
        set_up(world, {"instance": number, "role": role, "flavor": 15})
    return world, world.snapshot()


@pytest.fixture
def world(start: tuple[World, Snapshot]) -> World:
    start[0].restore(start[1])
    return start[0]


def live(world: World) -> Any:
    return world.hosts[HOST].tracker


def found(world: World) -> set[str]:
    return {violation.name for violation in vpmem_violations(world, live(world))}


def change(world: World, number: int, change: Callable[[Any], None]) -> None:
    """Change the object columns of an instance; the snapshot keeps its own."""
    row = world.conductor.tables["instance"][world.uuid(number)]
    row["_extra"] = deepcopy(row["_extra"])
    change(row["_extra"])


def test_each_holds_what_its_flavor_asks_for(world: World) -> None:
    assert (FLAVORS[15].resources[VPMEM_CLASS], FLAVORS[16].resources[VPMEM_CLASS]) == (1, 2)
    assert not FLAVORS[1].uses_vpmem
    assert VPMEM_CLASS not in FLAVORS[1].resources
    assert len(given_out(live(world))[PROVIDER]) == 2
    assert len(given_out(world.hosts[OTHER.host].tracker)[NODE_UUIDS[OTHER.node]]) == 2
    assert world.placement.allocations[world.uuid(1)][1][PROVIDER][VPMEM_CLASS] == 1
    assert {*usage_violations(world, live(world)), *placement_violations(world)} == set()
    assert run_audit(world, live(world)) == ""
    assert {*usage_violations(world, live(world)), *placement_violations(world)} == set()


def test_units_come_back(world: World) -> None:
    world.on(HOST, TABLE["delete"].run, world, {"instance": 1})
    world.on(HOST, TABLE["drop_move_claim_at_source"].run, world, {"instance": 2})
    assert (given_out(live(world)), found(world)) == ({}, set())


def test_what_two_hold_is_noticed_and_no_audit_heals_it(world: World) -> None:
    own = world.conductor.tables["instance"][world.uuid(1)]["_extra"]["resources"]

    def share(extra: Any) -> None:
        extra["migration_context"]["nova_object.data"]["old_resources"] = own

    change(world, 2, share)
    assert found(world) == {"I9 shared vPMEM", "I12 assigned_resources"}
    assert run_audit(world, live(world)) == ""
    assert found(world) == {"I9 shared vPMEM"}


def forget(world: World) -> None:
    live(world).assigned_resources.clear()


def keep(world: World) -> None:
    unit = live(world).provider_tree.data(PROVIDER).resources[VPMEM_CLASS]
    live(world).assigned_resources[PROVIDER][VPMEM_CLASS] = unit


@pytest.mark.parametrize("breaks", [forget, keep])
def test_wrong_accounts_are_noticed_and_healed(world: World, breaks: Callable[[World], None]) -> None:
    before = fingerprint(world)
    breaks(world)
    assert fingerprint(world) != before, "such a state is judged by itself"
    assert found(world) == {"I12 assigned_resources"}
    assert run_audit(world, live(world)) == ""
    assert found(world) == set()


def test_units_of_another_node_are_noticed(world: World) -> None:
    def move(extra: Any) -> None:
        for unit in extra["resources"]["nova_object.data"]["objects"]:
            unit["nova_object.data"]["provider_uuid"] = NODE_UUIDS[OTHER.node]

    change(world, 1, move)
    assert found(world) == {"I15 resources", "I12 assigned_resources"}


def test_a_host_without_units_has_no_violation(world: World) -> None:
    assert list(vpmem_violations(World(), live(world))) == []


def program(operation: str, role: str, faults: tuple[Operation, ...] = ()) -> Scenario:
    setup = (Operation("instance", {"instance": 1, "role": role, "flavor": 15}),)
    return Scenario(Operations(setup, ((Operation(operation, {"instance": 1}),),)), {}, faults)


@pytest.mark.parametrize(
    ("operation", "role"),
    [("claim", "new"), ("resize_away", "active"), ("revert_here", "arrived"), ("live_migrate_away", "active")],
)
def test_both_worlds_do_the_same(nova: Opened, operation: str, role: str) -> None:
    assert disagreements(nova, program(operation, role), 0) == []


def test_a_claim_that_fails_late_keeps_its_units_until_the_next_audit(nova: Opened) -> None:
    """``_move_claim`` gives units out before it saves what says so; nothing takes them back
    where the save fails."""
    late = (Operation("conductor_timeout", {"task": 0, "call": 4}),)
    for world in ("fast", "real"):
        for faults, wanted in ((late, {("warning", True)}), ((), set())):
            failing = program("resize_claim", "incoming", faults)
            made = nova[0].program(Scenario(failing.content, {"world": world}, faults))
            outcome = execute(made, SerialOrder((0,)), ExecutionConfig(bytearray(1 << 17)))
            assert {(one.severity, "I12" in one.error_type) for one in outcome.failures} == wanted


def test_older_releases_say_that_they_have_none(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vpmem, "is_there", lambda: False)
    with pytest.raises(ImpossibleStartError, match="20 and newer"):
        nova[0].program(program("claim", "new"))


def test_programs_for_older_releases_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    target = find_target("nova")
    assert 15 in target.setup_arguments()["flavor"]
    monkeypatch.setattr(environments, "tracker_has", lambda folder, method: False)
    assert 15 not in target.setup_arguments()["flavor"]
    assert target.setup_arguments()["flavor"][-1] == SIMPLEST_FIRST[-1]
