"""What must hold when nothing is under way, computed from the rows alone.

Numbers as in ``docs/nova-invariants.md``: I1 memory, I2 vCPUs, I3 disk, I4 free and
non-negative, I5 statistics, I11 tracked instances and migrations, I14 agreement of
audits, I16 inverses (an aborted claim leaves the sums of I1 to I3 unchanged). The others
are in ``numa_invariants`` (I6, I7), ``pci_invariants`` (I8, I9) and
``record_invariants`` (I13, I15).

Two tiers: what is wrong at once is a *warning* where the next audit heals it, and an
*error* where it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from targets.nova.counting import Violation, counted, flavors
from targets.nova.driver import NODE_UUIDS
from targets.nova.numa_invariants import numa_violations
from targets.nova.pci_invariants import pci_figures, pci_violations, saved_pci_violations
from targets.nova.record_invariants import row_violations
from targets.nova.world import HOST, NODE, World

USAGE = ("memory_mb_used", "vcpus_used", "local_gb_used")
_NUMBERS = {"memory_mb_used": "I1", "vcpus_used": "I2", "local_gb_used": "I3"}


def expected_usage(world: World) -> dict[str, int]:
    """The sums that the node's usage must equal."""
    from nova.conf import CONF

    data = flavors(world)
    return {
        "memory_mb_used": CONF.reserved_host_memory_mb + sum(one["memory_mb"] for one in data),
        "vcpus_used": CONF.reserved_host_cpus + sum(one["vcpus"] for one in data),
        # Each is added to an integer field by itself, which drops what is no whole GiB.
        "local_gb_used": CONF.reserved_host_disk_mb // 1024
        + sum(one["root_gb"] + one["ephemeral_gb"] + one["swap"] // 1024 for one in data),
    }


def usage_violations(world: World, tracker: Any, rounding: int = 0) -> Iterator[Violation]:
    """I1 to I4, I6 to I9, I11 and I15, on the live tracker.

    ``rounding``: how far ``local_gb_used`` may be below its sum. What is taken away is
    rounded as well, so that each instance whose swap is not a whole number of GiB can
    take one GiB too much along when it goes. None is left after an audit.
    """
    node = tracker.compute_nodes.get(NODE)
    if node is None:
        return
    for name, wanted in expected_usage(world).items():
        have = getattr(node, name)
        lowest = wanted - rounding if name == "local_gb_used" else wanted
        if not lowest <= have <= wanted:
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
    instances, migrations = counted(world)
    if set(tracker.tracked_instances) != set(instances):
        yield Violation(
            "I11 tracked_instances", f"tracked {sorted(tracker.tracked_instances)}, the rows say {sorted(instances)}"
        )
    moving = {row["instance_uuid"] for row in migrations}
    if set(tracker.tracked_migrations) != moving:
        yield Violation(
            "I11 tracked_migrations", f"tracked {sorted(tracker.tracked_migrations)}, the rows say {sorted(moving)}"
        )
    yield from numa_violations(world, node)
    yield from pci_violations(world, tracker)
    yield from row_violations(world)


def audited_violations(world: World, tracker: Any) -> Iterator[Violation]:
    """I5, I10 and I17: only hold once an audit has run. (I13 likewise, but see the stage.)"""
    node = tracker.compute_nodes.get(NODE)
    if node is None:
        yield Violation("I14 node missing", "an audit of a reported node left the tracker without it")
        return
    instances, _ = counted(world)
    if node.running_vms != len(instances):
        yield Violation("I5 running_vms", f"running_vms is {node.running_vms}, there are {len(instances)} instances")
    row = world.node_row(NODE)
    for name in (*USAGE, "running_vms"):
        if row[name] != getattr(node, name):
            yield Violation(f"I10 {name}", f"the row says {row[name]}, the tracker {getattr(node, name)}")
    yield from saved_pci_violations(world, tracker)
    yield from configuration_violations(world, tracker)


def configuration_violations(world: World, tracker: Any) -> Iterator[Violation]:
    """I17: the configured ratios and reservations are those of the node and of placement."""
    from nova.conf import CONF

    node = tracker.compute_nodes.get(NODE)
    inventories = world.placement.providers[NODE_UUIDS[NODE]]["inventories"]
    for short, kind in (("cpu", "VCPU"), ("ram", "MEMORY_MB"), ("disk", "DISK_GB")):
        name = f"{short}_allocation_ratio"
        configured = getattr(CONF, name)
        wanted = getattr(CONF, f"initial_{name}") if configured is None else configured
        ratio = inventories.get(kind, {}).get("allocation_ratio")
        if node is None or getattr(node, name) != wanted or ratio != wanted:
            have = None if node is None else getattr(node, name)
            yield Violation(f"I17 {name}", f"{name} is {wanted}, the node has {have}, placement {ratio}")
    disk = -(-CONF.reserved_host_disk_mb // 1024)
    reserved = {"VCPU": CONF.reserved_host_cpus, "MEMORY_MB": CONF.reserved_host_memory_mb, "DISK_GB": disk}
    found = {kind: inventories.get(kind, {}).get("reserved") for kind in reserved}
    if found != reserved:
        yield Violation("I17 reserved", f"{reserved} is reserved, placement has {found}")


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


_COMPARED = (*USAGE, "running_vms", "free_ram_mb", "free_disk_gb", "numa_topology", "stats")


def _last_saved(tracker: Any) -> list[Any]:
    """What the tracker believes to have saved: whether an audit saves depends on it."""
    old = tracker.old_resources.get(NODE)
    if old is None:
        return []
    return [repr(getattr(old, name)) if old.obj_attr_is_set(name) else None for name in _COMPARED]


_STAMPS = frozenset({"updated_at", "created_at", "deleted_at"})


def fingerprint(world: World) -> int:
    """A number for the state that the oracles look at: every row without its time
    stamps, the allocations, and the tracker's figures, statistics and sets.

    Two states that differ only in what no oracle reads have the same number.
    """
    tracker = world.hosts[HOST].tracker
    rows = [
        (table, key, sorted((name, repr(value)) for name, value in row.items() if name not in _STAMPS))
        for table in ("instance", "migration", "compute_node", "pci_device")
        for key, row in world.conductor.tables[table].items()
    ]
    node = tracker.compute_nodes.get(NODE)
    topology = None if node is None else node.numa_topology
    live = [figures(tracker), sorted(tracker.tracked_migrations), sorted(tracker.stats.get(NODE, {}).items()), topology]
    live += [pci_figures(tracker), _last_saved(tracker)]
    own = None if node is None else [getattr(node, name) for name in ("memory_mb", "local_gb", "vcpus")]
    return hash(repr((rows, sorted(world.placement.allocations.items()), live, own)))
