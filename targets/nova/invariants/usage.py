"""Usage of a node when nothing is under way, computed from the rows alone.

Numbers as in ``docs/nova-invariants.md``: I1 memory, I2 vCPUs, I3 disk, I4 free and
non-negative, I5 statistics, I11 tracked instances and migrations, I14 agreement of
audits, I16 inverses (an aborted claim leaves the sums of I1 to I3 unchanged). The others
are in ``numa_invariants`` (I6, I7), ``pci_invariants`` (I8, I9),
``vpmem_invariants`` (I9, I12) and ``record_invariants`` (I13, I15).

Two tiers: what is wrong at once is a *warning* where the next audit heals it, and an
*error* where it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semafuzz.targets.nova.invariants.checks import (
    AUDITS,
    DISK,
    FREE,
    MEMORY,
    RATIOS,
    SAVED_ROWS,
    STATISTICS,
    TRACKED,
    VCPUS,
    Violation,
)
from semafuzz.targets.nova.invariants.expected_claims import counted, flavors
from semafuzz.targets.nova.invariants.hosts import host_state, host_violations
from semafuzz.targets.nova.invariants.numa import numa_violations
from semafuzz.targets.nova.invariants.pci import pci_figures, pci_violations, saved_pci_violations
from semafuzz.targets.nova.invariants.records import row_violations
from semafuzz.targets.nova.invariants.vpmem import given_out, vpmem_violations
from semafuzz.targets.nova.releases.shims import counts_swap
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.world import World

USAGE = ("memory_mb_used", "vcpus_used", "local_gb_used")
_CHECKS = {"memory_mb_used": MEMORY, "vcpus_used": VCPUS, "local_gb_used": DISK}


def expected_usage(world: World, place: Place = HERE) -> dict[str, int]:
    """The sums that the node's usage must equal."""
    from nova.conf import CONF

    data = flavors(world, place)
    swap = counts_swap()
    return {
        "memory_mb_used": CONF.reserved_host_memory_mb + sum(one["memory_mb"] for one in data),
        "vcpus_used": CONF.reserved_host_cpus + sum(one["vcpus"] for one in data),
        # Each is added to an integer field by itself, which drops what is no whole GiB.
        "local_gb_used": CONF.reserved_host_disk_mb // 1024
        + sum(one["root_gb"] + one["ephemeral_gb"] + (one["swap"] // 1024 if swap else 0) for one in data),
    }


def usage_violations(world: World, tracker: Any, rounding: int = 0, place: Place = HERE) -> Iterator[Violation]:
    """I1 to I4, I6 to I9, I11, I12 and I15, on the live tracker.

    ``rounding``: how far ``local_gb_used`` may be below its sum. What is taken away is
    rounded as well, so that each instance whose swap is not a whole number of GiB can
    take one GiB too much along when it goes. None is left after an audit.
    """
    node = tracker.compute_nodes.get(place.node)
    if node is None or "id" not in node:
        return
    for name, wanted in expected_usage(world, place).items():
        have = getattr(node, name)
        lowest = wanted - rounding if name == "local_gb_used" else wanted
        if not lowest <= have <= wanted:
            yield Violation(_CHECKS[name], name, f"{name} is {have}, the rows add up to {wanted}")
        if have < 0:
            yield Violation(FREE, f"negative {name}", f"{name} is {have}")
    if node.free_ram_mb != node.memory_mb - node.memory_mb_used:
        yield Violation(
            FREE, "free_ram_mb", f"{node.free_ram_mb} free of {node.memory_mb} with {node.memory_mb_used} used"
        )
    if node.free_disk_gb != node.local_gb - node.local_gb_used:
        yield Violation(
            FREE, "free_disk_gb", f"{node.free_disk_gb} free of {node.local_gb} with {node.local_gb_used} used"
        )
    instances, shares = counted(world, place)
    # A move that goes on makes an instance of a migration, or the other way round, without telling the tracker.
    tracked = {*tracker.tracked_instances, *tracker.tracked_migrations}
    here = {*instances, *(one.uuid for one in shares)}
    if tracked != here and len(tracker.compute_nodes) == 1:
        yield Violation(TRACKED, "tracked", f"tracked {sorted(tracked)}, the rows say {sorted(here)}")
    yield from numa_violations(world, node, place)
    yield from pci_violations(world, tracker, place)
    yield from vpmem_violations(world, tracker, place)
    yield from row_violations(world)


def audited_violations(world: World, tracker: Any, place: Place = HERE) -> Iterator[Violation]:
    """I5, I10, I11 and I17 to I19: only hold once an audit has run. (I13 likewise, but see the stage.)"""
    node = tracker.compute_nodes.get(place.node)
    if node is None:
        yield Violation(AUDITS, "node missing", "an audit of a reported node left the tracker without it")
        return
    instances, shares = counted(world, place)
    for name, wanted in (("instances", {*instances}), ("migrations", {share.uuid for share in shares})):
        have = {*getattr(tracker, f"tracked_{name}")}
        # The audit of each node begins both anew for all of them.
        if have != wanted and len(tracker.compute_nodes) == 1:
            yield Violation(TRACKED, f"tracked_{name}", f"tracked {sorted(have)}, the rows say {sorted(wanted)}")
    if node.running_vms != len(instances):
        yield Violation(
            STATISTICS, "running_vms", f"running_vms is {node.running_vms}, there are {len(instances)} instances"
        )
    row = world.node_row(place.node)
    if row is None:
        yield Violation(SAVED_ROWS, "row missing", f"an audit of {place.node} left no record of it")
        return
    for name in (*USAGE, "running_vms"):
        if row[name] != getattr(node, name):
            yield Violation(SAVED_ROWS, f"{name}", f"the row says {row[name]}, the tracker {getattr(node, name)}")
    yield from saved_pci_violations(world, tracker, place)
    yield from configuration_violations(world, tracker, place)
    yield from host_violations(world, node, place)


_IMPLIED_RATIOS = {"cpu": 16.0, "ram": 1.5, "disk": 1.0}
"""Up to 18 a ratio of 0.0 stands for these, which are in ``ComputeNode``."""


def configuration_violations(world: World, tracker: Any, place: Place = HERE) -> Iterator[Violation]:
    """I17: the configured ratios and reservations are those of the node and of placement."""
    from nova.conf import CONF

    node = tracker.compute_nodes.get(place.node)
    inventories = world.placement.providers[world.node_row(place.node)["uuid"]]["inventories"]
    for short, kind in (("cpu", "VCPU"), ("ram", "MEMORY_MB"), ("disk", "DISK_GB")):
        name = f"{short}_allocation_ratio"
        wanted = getattr(CONF, name)
        if f"initial_{name}" in CONF:
            wanted = getattr(CONF, f"initial_{name}") if wanted is None else wanted
        else:
            wanted = wanted or _IMPLIED_RATIOS[short]
        ratio = inventories.get(kind, {}).get("allocation_ratio")
        if node is None or getattr(node, name) != wanted or ratio != wanted:
            have = None if node is None else getattr(node, name)
            yield Violation(RATIOS, f"{name}", f"{name} is {wanted}, the node has {have}, placement {ratio}")
    disk = -(-CONF.reserved_host_disk_mb // 1024)
    reserved = {"VCPU": CONF.reserved_host_cpus, "MEMORY_MB": CONF.reserved_host_memory_mb, "DISK_GB": disk}
    found = {kind: inventories.get(kind, {}).get("reserved") for kind in reserved}
    if found != reserved:
        yield Violation(RATIOS, "reserved", f"{reserved} is reserved, placement has {found}")


def run_audit(world: World, tracker: Any, place: Place = HERE) -> str:
    """One audit of the node; the exception's name where it raised, else ""."""
    try:
        world.on(place.host, tracker.update_available_resource, world.context(), place.node)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def figures(tracker: Any, place: Place = HERE, alone: bool = True) -> dict[str, Any]:
    """What two trackers of one database must agree on. ``alone``: they have this node only;
    of several, what is tracked is that of the one whose audit was the last."""
    node = tracker.compute_nodes.get(place.node)
    if node is None or "id" not in node:
        return {}
    found = {name: getattr(node, name) for name in (*USAGE, "running_vms", "free_ram_mb", "free_disk_gb")}
    if alone:
        found["tracked"] = sorted(tracker.tracked_instances)
    return found


_COMPARED = (*USAGE, "running_vms", "free_ram_mb", "free_disk_gb", "numa_topology", "stats")


def _last_saved(tracker: Any, place: Place) -> list[Any]:
    """What the tracker believes to have saved: whether an audit saves depends on it."""
    old = tracker.old_resources.get(place.node)
    if old is None:
        return []
    return [repr(getattr(old, name)) if old.obj_attr_is_set(name) else None for name in _COMPARED]


_STAMPS = frozenset({"updated_at", "created_at", "deleted_at"})


def fingerprint(world: World) -> int:
    """A number for the state that the oracles look at: every row without its time
    stamps, the allocations, and the tracker's figures, statistics and sets.

    Two states that differ only in what no oracle reads have the same number.
    """
    rows = [
        (table, key, sorted((name, repr(value)) for name, value in row.items() if name not in _STAMPS))
        for table in ("instance", "migration", "compute_node", "pci_device")
        for key, row in world.conductor.tables[table].items()
    ]
    live = [_live_figures(world.hosts[place.host].tracker, place) for place in world.places]
    reported = [host_state(world, name) for name in sorted(world.hosts)]
    return hash(repr((rows, sorted(world.placement.allocations.items()), live, reported)))


def _live_figures(tracker: Any, place: Place) -> list[Any]:
    """What the oracles look at in a tracker."""
    node = tracker.compute_nodes.get(place.node)
    statistics = sorted(tracker.stats.get(place.node, {}).items())
    found = [
        figures(tracker, place),
        sorted(tracker.tracked_migrations),
        statistics,
        pci_figures(tracker),
        given_out(tracker),
    ]
    if node is not None and "id" in node:
        found += [node.numa_topology, node.memory_mb, node.local_gb, node.vcpus]
    return [*found, _last_saved(tracker, place)]
