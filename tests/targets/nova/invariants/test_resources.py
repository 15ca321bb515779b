"""NUMA cells, PCI devices, placement and rows: each oracle fires on a state that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from semafuzz.harness.runs.session import controlled_session
from semafuzz.targets import find_target
from semafuzz.targets.nova.invariants.checks import Violation
from semafuzz.targets.nova.invariants.numa import numa_violations
from semafuzz.targets.nova.invariants.pci import pci_figures, pci_violations, saved_pci_violations
from semafuzz.targets.nova.invariants.records import placement_violations, row_violations
from semafuzz.targets.nova.invariants.usage import audited_violations, fingerprint, run_audit, usage_violations
from semafuzz.targets.nova.operations.table import HOST, NODE, TABLE, set_up
from semafuzz.targets.nova.world.flavors import FLAVORS, SIMPLEST_FIRST, is_rounded
from semafuzz.targets.nova.world.hypervisor import NODE_UUIDS
from semafuzz.targets.nova.world.names import OTHER
from semafuzz.targets.nova.world.world import Snapshot, World

pytestmark = pytest.mark.nova


@pytest.fixture(scope="module")
def start() -> Iterator[tuple[World, Snapshot]]:
    """Instance 1 owns CPUs and two devices, 2 is on two cells, 3 was resized away, 4 has huge pages."""
    with find_target("nova").open() as opened, controlled_session(opened.modules):
        world = World(pci=True)
        for number, (role, flavor) in enumerate([("active", 13), ("active", 7), ("leaving", 11), ("active", 8)], 1):
            set_up(world, {"instance": number, "role": role, "flavor": flavor})
        yield world, world.snapshot()


@pytest.fixture
def world(start: tuple[World, Snapshot]) -> World:
    start[0].restore(start[1])
    return start[0]


def names(found: Iterator[Violation]) -> set[str]:
    return {violation.name for violation in found}


def live(world: World) -> Any:
    return world.hosts[HOST].tracker


def every(world: World) -> set[str]:
    tracker = live(world)
    found = names(usage_violations(world, tracker)) | names(saved_pci_violations(world, tracker))
    return found | names(placement_violations(world))


def device(world: World, status: str) -> Any:
    return next(one for one in live(world).pci_tracker.pci_devs if one.status == status)


def test_a_sound_state_has_no_violation(world: World) -> None:
    assert every(world) == set()
    assert run_audit(world, live(world)) == ""
    assert every(world) | names(audited_violations(world, live(world))) == set()
    statuses = sorted(one.status for one in live(world).pci_tracker.pci_devs)
    assert statuses == ["allocated", "allocated", "allocated", "available", "unavailable"]


def change_cells(change: Callable[[Any], None]) -> Callable[[World], None]:
    """Changes the cells that the node's record lists."""

    def breaks(world: World) -> None:
        from nova import objects

        node = live(world).compute_nodes[NODE]
        topology = objects.NUMATopology.obj_from_db_obj(node.numa_topology)
        change(topology.cells)
        node.numa_topology = topology._to_json()

    return breaks


def change_cell(name: str, value: object) -> Callable[[World], None]:
    return change_cells(lambda cells: setattr(cells[0], name, value))


def use_pages(cells: Any, size: int, used: int) -> None:
    """Say that so many pages of the ``size``-th size are in use in some cells."""
    for cell in cells:
        cell.mempages[size].used = used


@pytest.mark.parametrize(
    ("breaks", "wanted"),
    [
        (change_cell("memory_usage", 1), "I7 cell memory"),
        (change_cell("cpu_usage", 3), "I7 cell cpus"),
        (change_cells(lambda cells: use_pages(cells[:1], 1, 5)), "I7 pages"),
        (change_cell("pinned_cpus", {0, 1, 2, 3}), "I6 pinned_cpus"),
    ],
)
def test_a_wrong_cell_is_noticed_and_healed(world: World, breaks: Callable[[World], None], wanted: str) -> None:
    before = fingerprint(world)
    breaks(world)
    assert names(numa_violations(world, live(world).compute_nodes[NODE])) == {wanted}
    assert fingerprint(world) != before
    run_audit(world, live(world))
    assert every(world) == set()


def test_what_asks_for_no_size_of_pages_is_counted_from_18_1_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from nova.virt import hardware

    monkeypatch.delattr(hardware, "_get_smallest_pagesize")
    assert names(numa_violations(world, live(world).compute_nodes[NODE])) == {"I7 pages"}
    change_cells(lambda cells: use_pages(cells, 0, 0))(world)
    assert names(numa_violations(world, live(world).compute_nodes[NODE])) == set()


def free_silently(world: World) -> None:
    """A free that forgets the pool and the map."""
    one = device(world, "allocated")
    one.status, one.instance_uuid = "available", None


def lose_the_map(world: World) -> None:
    live(world).pci_tracker.allocations.clear()


def give_away(world: World) -> None:
    for one in live(world).pci_tracker.pci_devs:
        if one.instance_uuid == world.uuid(1):
            one.instance_uuid = world.uuid(77)
    pci = live(world).pci_tracker
    pci.allocations[world.uuid(77)] = pci.allocations.pop(world.uuid(1))


def miscount(world: World) -> None:
    live(world).pci_tracker.stats.pools[0]["count"] += 1


def pool_twice(world: World) -> None:
    pool = next(one for one in live(world).pci_tracker.stats.pools if one["devices"])
    pool["devices"].append(pool["devices"][0])
    pool["count"] += 1


def unblock_the_parent(world: World) -> None:
    one = device(world, "unavailable")
    one.status = "available"
    live(world).pci_tracker.stats.add_device(one)


def forget_to_save(world: World) -> None:
    for row in world.conductor.tables["pci_device"].values():
        row["status"], row["instance_uuid"] = "available", None


def forget_the_pools(world: World) -> None:
    row = world.node_row(NODE)
    pools = row["pci_device_pools"]
    row["pci_device_pools"] = {**pools, "nova_object.data": {"objects": []}}


@pytest.mark.parametrize(
    ("breaks", "wanted"),
    [
        (free_silently, {"I8 pools", "I8 allocations", "I9 devices"}),
        (lose_the_map, {"I8 allocations"}),
        (give_away, {"I9 owner", "I9 devices"}),
        (miscount, {"I8 pool count"}),
        (pool_twice, {"I8 pools"}),
        (unblock_the_parent, {"I8 parent"}),
    ],
)
def test_wrong_devices_are_noticed(world: World, breaks: Callable[[World], None], wanted: set[str]) -> None:
    before = pci_figures(live(world))
    breaks(world)
    assert names(pci_violations(world, live(world))) == wanted
    assert pci_figures(live(world)) != before


@pytest.mark.parametrize(
    ("breaks", "wanted"), [(forget_to_save, "I10 pci_devices"), (forget_the_pools, "I10 pci_device_pools")]
)
def test_devices_that_were_not_saved_are_noticed(world: World, breaks: Callable[[World], None], wanted: str) -> None:
    breaks(world)
    assert names(saved_pci_violations(world, live(world))) == {wanted}


def test_an_instance_in_error_may_have_given_its_devices_back(world: World) -> None:
    live(world).pci_tracker.free_instance(world.context(), world.instance(1, world.context()))
    assert names(pci_violations(world, live(world))) == {"I9 devices"}
    world.conductor.tables["instance"][world.uuid(1)]["vm_state"] = "error"
    assert names(pci_violations(world, live(world))) == set()


def test_a_host_without_devices_has_no_violation(world: World) -> None:
    live(world).pci_tracker = None
    assert pci_figures(live(world)) == []
    assert list(pci_violations(world, live(world))) == list(saved_pci_violations(world, live(world))) == []


def test_allocations_that_stay_are_noticed(world: World) -> None:
    migration = next(iter(world.conductor.tables["migration"].values()))
    migration["status"] = "confirmed"
    assert names(placement_violations(world)) == {"I13 migration"}
    migration["status"] = "finished"
    world.conductor.tables["instance"][world.uuid(1)]["deleted"] = True
    assert names(placement_violations(world)) == {"I13 gone"}
    world.placement.allocations.pop(world.uuid(1))
    assert names(placement_violations(world)) == set()


def test_an_allocation_that_is_not_the_flavor_s_is_noticed(world: World) -> None:
    generation, amounts, *rest = world.placement.allocations[world.uuid(2)]
    changed = {NODE_UUIDS[NODE]: {**amounts[NODE_UUIDS[NODE]], "VCPU": 9}}
    world.placement.allocations[world.uuid(2)] = (generation, changed, *rest)
    assert names(placement_violations(world)) == {"I13 instance"}


def test_a_deleted_instance_s_allocation_is_healed_by_an_audit(world: World) -> None:
    row = world.conductor.tables["instance"][world.uuid(2)]
    row.update(deleted=True, vm_state="deleted")
    assert names(placement_violations(world)) == {"I13 gone"}
    assert run_audit(world, live(world)) == ""
    assert names(placement_violations(world)) == set()


def test_rows_that_contradict_themselves_are_noticed(world: World) -> None:
    row = world.conductor.tables["instance"][world.uuid(1)]
    row.update(host=None)
    assert names(row_violations(world)) == {"I15 host", "I15 numa_topology"}
    row.update(host=OTHER.host)
    assert names(row_violations(world)) == {"I15 host"}
    row.update(host=HOST)
    context = world.conductor.tables["instance"][world.uuid(3)]["_extra"]["migration_context"]
    row["_extra"] = {**row["_extra"], "migration_context": context}
    assert names(row_violations(world)) == {"I15 migration_context"}
    row["deleted"] = True
    assert names(row_violations(world)) == set()


def test_deleting_gives_devices_and_cells_back(world: World) -> None:
    for number in (1, 2, 4):
        world.on(HOST, TABLE["delete"].run, world, {"instance": number})
    assert every(world) == set()
    world.on(HOST, TABLE["drop_move_claim_at_source"].run, world, {"instance": 3})
    assert every(world) == set()
    assert {one.status for one in live(world).pci_tracker.pci_devs} == {"available"}


def test_rounding_of_swap_is_allowed_for_before_an_audit_only(world: World) -> None:
    node = live(world).compute_nodes[NODE]
    node.local_gb_used -= 1
    node.free_disk_gb += 1
    assert names(usage_violations(world, live(world))) == {"I3 local_gb_used"}
    assert names(usage_violations(world, live(world), rounding=1)) == set()
    node.local_gb_used += 2
    node.free_disk_gb -= 2
    assert names(usage_violations(world, live(world), rounding=1)) == {"I3 local_gb_used"}


def test_flavors() -> None:
    assert set(SIMPLEST_FIRST) | {4, 16} == set(FLAVORS)
    assert [number for number in FLAVORS if is_rounded(number)] == [5, 6]
    assert [number for number, spec in FLAVORS.items() if spec.uses_pci] == [11, 12, 13, 14, 17]
    assert (FLAVORS[5].disk, FLAVORS[6].disk) == (4, 2)
