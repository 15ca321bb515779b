"""Each oracle of the Nova target fires on a state that breaks it, and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from semafuzz.harness.runs.session import controlled_session
from semafuzz.targets import find_target
from semafuzz.targets.nova.invariants.build_counts import possible_counts
from semafuzz.targets.nova.invariants.checks import Violation
from semafuzz.targets.nova.invariants.usage import audited_violations, figures, fingerprint, run_audit, usage_violations
from semafuzz.targets.nova.operations.table import HOST, NODE, TABLE, set_up
from semafuzz.targets.nova.world.world import Snapshot, World

pytestmark = pytest.mark.nova


@pytest.fixture(scope="module")
def start() -> Iterator[tuple[World, Snapshot]]:
    with find_target("nova").open() as opened, controlled_session(opened.modules):
        world = World()
        set_up(world, {"instance": 1, "role": "active", "flavor": 3})
        set_up(world, {"instance": 2, "role": "leaving", "flavor": 1})
        yield world, world.snapshot()


@pytest.fixture
def world(start: tuple[World, Snapshot]) -> World:
    start[0].restore(start[1])
    return start[0]


def names(found: Iterator[Violation]) -> set[str]:
    return {violation.name for violation in found}


def live(world: World) -> Any:
    return world.hosts[HOST].tracker


def test_a_sound_state_has_no_violation(world: World) -> None:
    tracker = live(world)
    assert names(usage_violations(world, tracker)) == set()
    assert run_audit(world, tracker) == ""
    assert names(usage_violations(world, tracker)) | names(audited_violations(world, tracker)) == set()


def test_a_migration_whose_context_is_gone_counts_while_its_instance_moves(world: World) -> None:
    row = world.conductor.tables["instance"][world.uuid(2)]
    row["_extra"] = {**row["_extra"], "migration_context": None}
    tracker = live(world)
    assert run_audit(world, tracker) == ""
    assert names(usage_violations(world, tracker)) == set()
    forget_migration(tracker)
    assert "I11 tracked" in names(usage_violations(world, tracker))


def change_memory(tracker: Any) -> None:
    tracker.compute_nodes[NODE].memory_mb_used += 1


def make_negative(tracker: Any) -> None:
    tracker.compute_nodes[NODE].vcpus_used = -1


def change_disk(tracker: Any) -> None:
    tracker.compute_nodes[NODE].local_gb_used -= 1


def change_free(tracker: Any) -> None:
    tracker.compute_nodes[NODE].free_ram_mb += 5


def change_free_disk(tracker: Any) -> None:
    tracker.compute_nodes[NODE].free_disk_gb += 5


def forget_instance(tracker: Any) -> None:
    tracker.tracked_instances.clear()


def forget_migration(tracker: Any) -> None:
    tracker.tracked_migrations.clear()


def unpin(tracker: Any) -> None:
    from nova import objects

    node = tracker.compute_nodes[NODE]
    topology = objects.NUMATopology.obj_from_db_obj(node.numa_topology)
    for cell in topology.cells:
        cell.pinned_cpus = set()
    node.numa_topology = topology._to_json()


@pytest.mark.parametrize(
    ("breaks", "wanted"),
    [
        (change_memory, "I1 memory_mb_used"),
        (make_negative, "I4 negative vcpus_used"),
        (make_negative, "I2 vcpus_used"),
        (change_disk, "I3 local_gb_used"),
        (change_free, "I4 free_ram_mb"),
        (change_free_disk, "I4 free_disk_gb"),
        (forget_instance, "I11 tracked"),
        (forget_migration, "I11 tracked"),
        (unpin, "I6 pinned_cpus"),
    ],
)
def test_a_wrong_tracker_is_noticed_and_healed(world: World, breaks: Callable[[Any], None], wanted: str) -> None:
    before = fingerprint(world)
    breaks(live(world))
    assert wanted in names(usage_violations(world, live(world)))
    assert fingerprint(world) != before
    run_audit(world, live(world))
    assert names(usage_violations(world, live(world))) == set()


def test_two_instances_on_one_cpu_are_noticed(world: World) -> None:
    row = world.conductor.tables["instance"][world.uuid(1)]
    world.create_instance(3, 3)
    twin = world.conductor.tables["instance"][world.uuid(3)]
    twin.update(host=HOST, node=NODE)
    twin["_extra"] = {**twin["_extra"], "numa_topology": row["_extra"]["numa_topology"]}
    assert "I6 shared pins" in names(usage_violations(world, live(world)))


def test_statistics_and_rows_are_compared_after_an_audit(world: World) -> None:
    tracker = live(world)
    run_audit(world, tracker)
    tracker.compute_nodes[NODE].running_vms = 7
    assert {"I5 running_vms", "I10 running_vms"} <= names(audited_violations(world, tracker))


def test_a_missing_node_is_noticed_after_an_audit(world: World) -> None:
    tracker = live(world)
    tracker.remove_node(NODE)
    assert names(usage_violations(world, tracker)) == set()
    assert names(audited_violations(world, tracker)) == {"I14 node missing"}
    assert figures(tracker) == {}
    assert run_audit(world, tracker) == ""
    assert names(audited_violations(world, tracker)) == set()


def test_an_audit_that_raises_is_reported_by_name(world: World) -> None:
    world.conductor.tables["service"].clear()
    world.conductor.tables["compute_node"].clear()
    del live(world).stats
    assert run_audit(world, live(world)).startswith("AttributeError")


def test_a_new_tracker_comes_to_the_same_figures(world: World) -> None:
    run_audit(world, live(world))
    fresh = world.hosts[HOST].new_tracker()
    assert run_audit(world, fresh) == ""
    assert figures(fresh) == figures(live(world))


def test_deleting_gives_everything_back(world: World) -> None:
    used = live(world).compute_nodes[NODE].memory_mb_used
    world.on(HOST, TABLE["delete"].run, world, {"instance": 1})
    assert live(world).compute_nodes[NODE].memory_mb_used == used - 256
    assert world.uuid(1) not in world.placement.allocations
    assert names(usage_violations(world, live(world))) == set()


@pytest.mark.parametrize(
    ("start_count", "tasks", "wanted"),
    [
        (0, [["build_failed"], ["audit"]], {1}),
        (2, [["build_failed"], ["build_failed"]], {4}),
        (0, [["build_failed"], ["build_succeeded"]], {0, 1}),
        (5, [["build_failed", "build_succeeded"]], {0}),
        (1, [["build_failed", "build_failed"], ["remove_node"]], {0, 1, 2}),
        (3, [["claim"], ["audit"]], {3}),
    ],
)
def test_possible_counts(start_count: int, tasks: list[list[str]], wanted: set[int]) -> None:
    assert possible_counts(start_count, tasks) == wanted
