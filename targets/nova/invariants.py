"""What must hold when nothing is under way, computed from the rows alone.

Numbers as in ``docs/nova-invariants.md``: I1 memory, I2 vCPUs, I3 disk, I4 free and
non-negative, I5 statistics, I11 tracked instances and migrations, I14 agreement of
audits, I16 inverses (an aborted claim leaves the sums of I1 to I3 unchanged). I6
(pinned CPUs) compares the host's cells with the instances' pins.

Two tiers: what is wrong at once is a *warning* where the next audit heals it, and an
*error* where it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from targets.nova.boot import RESERVED
from targets.nova.conductor_records import FINAL_STATUSES
from targets.nova.operations import HOST, NODE
from targets.nova.world import World

USAGE = ("memory_mb_used", "vcpus_used", "local_gb_used")
_NUMBERS = {"memory_mb_used": "I1", "vcpus_used": "I2", "local_gb_used": "I3"}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold. ``name`` identifies it, ``text`` has the values."""

    name: str
    text: str


def _counted(world: World) -> tuple[dict[str, Any], list[Any]]:
    """Instances and incoming or outgoing migrations that belong to the node."""
    instances = {
        row["uuid"]: row
        for row in world.conductor.rows("instance")
        if row["host"] == HOST and row["node"] == NODE and row["vm_state"] != "deleted"
    }
    migrations = []
    for row in world.conductor.rows("migration"):
        if row["status"] is None or row["status"] in FINAL_STATUSES or row["instance_uuid"] in instances:
            continue
        if HOST in (row["source_compute"], row["dest_compute"]) and _is_moving(world, row):
            migrations.append(row)
    return instances, migrations


def _is_moving(world: World, migration: Any) -> bool:
    """Whether the instance is in the midst of this migration, as the audit sees it."""
    row = world.conductor.tables["instance"].get(migration["instance_uuid"])
    if row is None or row["deleted"]:
        return False
    resizing = row["vm_state"] == "resized" or (
        row["vm_state"] in ("active", "stopped")
        and row["task_state"] in ("resize_prep", "resize_migrating", "resize_migrated", "resize_finish")
    )
    context = row["_extra"]["migration_context"]
    matches = context is not None and context["nova_object.data"]["migration_id"] == migration["id"]
    return resizing and matches


def expected_usage(world: World) -> dict[str, int]:
    """The sums that the node's usage must equal."""
    instances, migrations = _counted(world)
    flavors = [row["_extra"]["flavor"] for row in instances.values()]
    for row in migrations:
        incoming = row["dest_compute"] == HOST
        extra = world.conductor.tables["instance"][row["instance_uuid"]]["_extra"]
        flavors.append(extra["new_flavor"] if incoming else extra["old_flavor"])
    data = [flavor["nova_object.data"] for flavor in flavors if flavor is not None]
    return {
        "memory_mb_used": RESERVED["reserved_host_memory_mb"] + sum(one["memory_mb"] for one in data),
        "vcpus_used": RESERVED["reserved_host_cpus"] + sum(one["vcpus"] for one in data),
        "local_gb_used": RESERVED["reserved_host_disk_mb"] // 1024
        + sum(one["root_gb"] + one["ephemeral_gb"] + one["swap"] // 1024 for one in data),
    }


def usage_violations(world: World, tracker: Any) -> Iterator[Violation]:
    """I1 to I4, I6 and I11, on the live tracker."""
    node = tracker.compute_nodes.get(NODE)
    if node is None:
        return
    for name, wanted in expected_usage(world).items():
        have = getattr(node, name)
        if have != wanted:
            yield Violation(f"{_NUMBERS[name]} {name}", f"{name} is {have}, the rows add up to {wanted}")
        if have < 0:
            yield Violation(f"I4 negative {name}", f"{name} is {have}")
    if node.free_ram_mb != node.memory_mb - node.memory_mb_used:
        yield Violation(
            "I4 free_ram_mb", f"{node.free_ram_mb} free of {node.memory_mb} with {node.memory_mb_used} used"
        )
    if node.free_disk_gb != node.local_gb - node.local_gb_used:
        yield Violation(
            "I4 free_disk_gb", f"{node.free_disk_gb} free of {node.local_gb} with {node.local_gb_used} used"
        )
    instances, migrations = _counted(world)
    if set(tracker.tracked_instances) != set(instances):
        yield Violation(
            "I11 tracked_instances", f"tracked {sorted(tracker.tracked_instances)}, the rows say {sorted(instances)}"
        )
    moving = {row["instance_uuid"] for row in migrations}
    if set(tracker.tracked_migrations) != moving:
        yield Violation(
            "I11 tracked_migrations", f"tracked {sorted(tracker.tracked_migrations)}, the rows say {sorted(moving)}"
        )
    yield from _pin_violations(world, node, instances, migrations)


def _pins(topology: Any) -> list[int]:
    """The host CPUs that an instance's topology (a primitive) holds."""
    if topology is None:
        return []
    cells = [cell["nova_object.data"] for cell in topology["nova_object.data"]["cells"]]
    return [int(cpu) for cell in cells for cpu in (cell.get("cpu_pinning_raw") or {}).values()]


def _pin_violations(world: World, node: Any, instances: dict[str, Any], migrations: list[Any]) -> Iterator[Violation]:
    """I6: what the host has pinned is the disjoint union of what instances and
    counted migrations hold."""
    from nova import objects

    if not node.numa_topology:
        return
    topology = objects.NUMATopology.obj_from_db_obj(node.numa_topology)
    pinned = {cpu for cell in topology.cells for cpu in cell.pinned_cpus}
    held = [cpu for row in instances.values() for cpu in _pins(row["_extra"]["numa_topology"])]
    for row in migrations:
        context = world.conductor.tables["instance"][row["instance_uuid"]]["_extra"]["migration_context"]
        side = "new_numa_topology" if row["dest_compute"] == HOST else "old_numa_topology"
        held += _pins(context["nova_object.data"][side])
    if len(held) != len(set(held)):
        yield Violation("I6 shared pins", f"a CPU is pinned twice among {sorted(held)}")
    if pinned != set(held):
        yield Violation("I6 pinned_cpus", f"the host has pinned {sorted(pinned)}, instances hold {sorted(set(held))}")


def audited_violations(world: World, tracker: Any) -> Iterator[Violation]:
    """I5 and I10: only hold once an audit has run."""
    node = tracker.compute_nodes.get(NODE)
    if node is None:
        yield Violation("I14 node missing", "an audit of a reported node left the tracker without it")
        return
    instances, _ = _counted(world)
    if node.running_vms != len(instances):
        yield Violation("I5 running_vms", f"running_vms is {node.running_vms}, there are {len(instances)} instances")
    row = world.node_row(NODE)
    for name in (*USAGE, "running_vms"):
        if row[name] != getattr(node, name):
            yield Violation(f"I10 {name}", f"the row says {row[name]}, the tracker {getattr(node, name)}")


def run_audit(world: World, tracker: Any) -> str:
    """One audit of the node; the exception's name where it raised, else ""."""
    try:
        world.on(HOST, tracker.update_available_resource, world.context(), NODE)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def figures(tracker: Any) -> dict[str, Any]:
    """What two trackers of one database must agree on."""
    node = tracker.compute_nodes.get(NODE)
    if node is None:
        return {}
    found = {name: getattr(node, name) for name in (*USAGE, "running_vms", "free_ram_mb", "free_disk_gb")}
    found["tracked"] = sorted(tracker.tracked_instances)
    return found


_STAMPS = frozenset({"updated_at", "created_at", "deleted_at"})


def fingerprint(world: World) -> int:
    """A number for the state that the oracles look at: every row without its time
    stamps, the allocations, and the tracker's figures, statistics and sets.

    Two states that differ only in what no oracle reads have the same number.
    """
    tracker = world.hosts[HOST].tracker
    rows = [
        (table, key, sorted((name, repr(value)) for name, value in row.items() if name not in _STAMPS))
        for table in ("instance", "migration", "compute_node")
        for key, row in world.conductor.tables[table].items()
    ]
    node = tracker.compute_nodes.get(NODE)
    topology = None if node is None else node.numa_topology
    live = (figures(tracker), sorted(tracker.tracked_migrations), sorted(tracker.stats.get(NODE, {}).items()), topology)
    own = None if node is None else [getattr(node, name) for name in ("memory_mb", "local_gb", "vcpus")]
    return hash(repr((rows, sorted(world.placement.allocations.items()), live, own, sorted(tracker.old_resources))))
