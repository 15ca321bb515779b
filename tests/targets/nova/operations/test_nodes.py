"""A second node, the scheduler's look at a node, and what the manager is left with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("nova")

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.nova.invariants.usage import audited_violations
from semafuzz.targets.nova.operations.nodes import UnderreportedNodeError, node_appears, node_vanishes, read_node
from semafuzz.targets.nova.operations.reenacted import builds
from semafuzz.targets.nova.operations.reenacted.builds import (
    LeftDevicesError,
    UncountedClaimError,
    build,
    check_devices,
)
from semafuzz.targets.nova.operations.reenacted.manager import ReenactedManager
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.names import EXTRA, HERE, NODE
from semafuzz.targets.nova.world.world import World

pytestmark = pytest.mark.nova
TWO = [[Operation("node_appears"), Operation("audit")]]


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened:
        yield opened


def started(nova: OpenTarget, role: str = "active", flavor: int = 1, world: str = "fast") -> NovaStage:
    setup = [Operation("instance", {"instance": 1, "role": role, "flavor": flavor})]
    stage = nova.stage(setup, {"world": world})  # type: ignore[attr-defined]
    assert isinstance(stage, NovaStage)
    stage.restore()
    return stage


@pytest.mark.parametrize("world", ["fast", "real"])
def test_a_node_appears_and_vanishes(nova: OpenTarget, world: str) -> None:
    stage = started(nova, world=world)
    made: World = stage._world
    node_appears(made, {})
    assert EXTRA in made.places
    row = made.node_row(EXTRA.node)
    assert row is not None
    assert row["uuid"] in made.placement.providers
    assert made.node_row(NODE)["memory_mb_used"] == 64
    assert stage.judge(TWO, []) == []
    node_vanishes(made, {})
    assert EXTRA not in made.places
    assert made.node_row(EXTRA.node) is None
    assert row["uuid"] not in made.placement.providers
    assert EXTRA.node not in made.hosts[HERE.host].tracker.compute_nodes
    assert stage.judge([[Operation("node_vanishes")]], []) == []
    stage.restore()
    assert EXTRA not in made.places


def test_a_host_with_devices_has_one_node(nova: OpenTarget) -> None:
    stage = started(nova, flavor=11)
    with pytest.raises(stage.refusals):
        node_appears(stage._world, {})
    assert stage.judge(TWO, []) == []


def test_statistics_of_another_node_are_noticed(nova: OpenTarget) -> None:
    """What Launchpad 1784705 was: the nodes of a host have their statistics in common."""
    stage = started(nova)
    node_appears(stage._world, {})
    tracker = stage._world.hosts[HERE.host].tracker
    tracker.stats[EXTRA.node] = tracker.stats[NODE]
    tracker.build_failed(NODE)
    (found,) = stage.judge([[Operation("node_appears"), Operation("build_failed")]], [])
    assert found.severity == "error"
    assert found.error_type == "failed_builds elsewhere"


def test_statistics_of_its_own_are_well(nova: OpenTarget) -> None:
    stage = started(nova)
    node_appears(stage._world, {})
    stage._world.hosts[HERE.host].tracker.build_failed(NODE)
    assert stage.judge([[Operation("node_appears"), Operation("build_failed")]], []) == []


def test_a_node_without_room_for_its_instances_is_noticed(nova: OpenTarget) -> None:
    made = started(nova)._world
    read_node(made, {})
    made.node_row(NODE)["memory_mb_used"] = 0
    with pytest.raises(UnderreportedNodeError, match="0 MiB in use, instances at rest take 64"):
        read_node(made, {})


@pytest.mark.parametrize("role", ["new", "there", "incoming", "leaving", "arrived", "shelved", "resized"])
def test_instances_that_move_are_not_asked_for(nova: OpenTarget, role: str) -> None:
    made = started(nova, role)._world
    made.node_row(NODE)["memory_mb_used"] = 0
    read_node(made, {})


def test_devices_left_after_an_abort_are_noticed(nova: OpenTarget) -> None:
    made = started(nova, flavor=11)._world
    instance = made.instance(1, made.context(), ("pci_devices",))
    with pytest.raises(LeftDevicesError, match=r"after the abort of its claim the instance has 0000:81:00\.0"):
        check_devices(instance)
    started(nova, "new", 11).perform(Operation("claim_abort", {"instance": 1}))


def test_the_abort_of_a_build_is_looked_at(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(instance: object) -> None:
        raise LeftDevicesError

    monkeypatch.setattr(builds, "check_devices", found)
    with pytest.raises(LeftDevicesError):
        started(nova, "new").perform(Operation("claim_abort", {"instance": 1}))


def test_a_node_without_a_record_is_noticed(nova: OpenTarget) -> None:
    made = started(nova)._world
    tracker = made.hosts[HERE.host].tracker
    assert [one.name for one in audited_violations(made, tracker)] == []
    made.node_row(NODE)["deleted"] = True
    assert "I10 row missing" in [one.name for one in audited_violations(made, tracker)]


def test_a_claim_that_counts_nothing_is_noticed(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    from nova.compute import claims

    made = started(nova, "new")._world
    compute = ReenactedManager(made)
    monkeypatch.setattr(compute.tracker, "instance_claim", lambda *args, **options: claims.NopClaim())
    with pytest.raises(UncountedClaimError):
        build(made, 1, lambda: None, compute)
