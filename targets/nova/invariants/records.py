"""I13 and I15: what the rows and placement say once everything has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from semafuzz.targets.nova.in_memory.conductor_records import FINAL_STATUSES
from semafuzz.targets.nova.invariants.checks import ALLOCATIONS, INSTANCE_ROWS, Violation
from semafuzz.targets.nova.world.flavors import FLAVORS, VPMEM_CLASS, vpmem_units
from semafuzz.targets.nova.world.hypervisor import NODE_UUIDS
from semafuzz.targets.nova.world.names import EXTRA, HERE, HOSTS
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.pci_devices import inventory_of
from semafuzz.targets.nova.world.world import World


def placement_violations(
    world: World, place: Place = HERE, *, called_off: bool = False, stays_down: bool = False
) -> Iterator[Violation]:
    """I13, after an audit: an instance that runs here has the allocation of its flavor,
    one that is gone has none, a migration only while it is under way; placement has no node whose
    record is gone. Where it is told of PCI devices, an instance holds those that it owns. ``called_off``: a start
    of the service may have called builds off, which keep theirs until they are deleted. ``stays_down``: a host that
    was evacuated did not start. What the API leaves where it deletes an instance under way is not looked at."""
    allocations = world.placement.allocations
    nodes = {row["uuid"] for row in world.conductor.rows("compute_node")}
    nested = world.placement.nested_providers()
    for provider in sorted(world.placement.provider_uuids() - nodes - nested.keys() if place == HERE else ()):
        yield Violation(
            ALLOCATIONS, "provider", f"placement still offers node {provider}, which has no record any more"
        )
    # In 16 a migration has no uuid, and no allocation.
    under_way = [row for row in world.conductor.rows("migration") if row["status"] not in FINAL_STATUSES]
    pending = {row.get("uuid") for row in under_way}
    known = {row["uuid"] for row in world.conductor.tables["migration"].values() if "uuid" in row}
    left_by_api = world.conductor.left_in_placement
    for consumer in sorted(known & set(allocations)):
        if consumer not in pending and consumer not in left_by_api:
            yield Violation(ALLOCATIONS, "migration", f"migration {consumer} has ended and holds an allocation")
    left = {row["instance_uuid"]: row for row in world.conductor.rows("migration") if _holds_both(row, stays_down)}
    # Nova tells the devices of both halves of such a move apart when it is over.
    staying = {row["instance_uuid"] for row in under_way if row["source_compute"] == row["dest_compute"]}
    for uuid, row in sorted(world.conductor.tables["instance"].items()):
        amounts = dict(allocations[uuid][1]) if uuid in allocations else {}
        if uuid in left:
            _subtract(amounts, left[uuid])
        if row["deleted"] or (row["host"] is None and row["vm_state"] == "error" and not called_off):
            if NODE_UUIDS[place.node] in amounts and uuid not in left_by_api:
                yield Violation(ALLOCATIONS, "gone", f"{uuid} is {row['vm_state']} and holds an allocation")
        elif _rests(row) and Place(row["host"], row["node"]) == place:
            devices = {nested[one]: amounts.pop(one) for one in sorted(nested.keys() & amounts)}
            wanted = {NODE_UUIDS[place.node]: _resources(row["_extra"]["flavor"]["nova_object.data"])}
            if amounts != wanted:
                yield Violation(ALLOCATIONS, "instance", f"{uuid} holds {amounts}, its flavor asks for {wanted}")
            if world.configuration.get("report_in_placement") and uuid not in staying:
                owned = _devices_of(world, uuid, place)
                if devices != owned:
                    yield Violation(ALLOCATIONS, "devices", f"{uuid} holds {devices} in placement and owns {owned}")


def _holds_both(migration: Any, stays_down: bool) -> bool:
    """Whether the instance holds what it had on the source as well: in 16, where migrations have no uuid, as long as
    it moves. A host that it was evacuated from gives its part back when it returns, and judged is what it returns
    with."""
    if stays_down and migration["migration_type"] == "evacuation" and migration["status"] == "done":
        return True
    return "uuid" not in migration and migration["status"] not in FINAL_STATUSES


def _rests(instance: Any) -> bool:
    return instance["vm_state"] in ("active", "resized") and instance["task_state"] is None


def _subtract(amounts: dict[str, dict[str, int]], migration: Any) -> None:
    """Leave out what is held for the source of a migration."""
    spec, source = FLAVORS[migration["old_instance_type_id"]], NODE_UUIDS[migration["source_node"]]
    rest = {name: amount - spec.resources.get(name, 0) for name, amount in amounts.pop(source, {}).items()}
    if any(rest.values()):
        amounts[source] = rest


def _devices_of(world: World, instance: str, place: Place) -> dict[str, dict[str, int]]:
    """How many of each class of PCI devices an instance owns on a node, by the names of their providers."""
    nodes = {
        row["id"] for row in world.conductor.rows("compute_node") if (row["host"], row["hypervisor_hostname"]) == place
    }
    found: dict[str, Counter[str]] = {}
    for row in world.conductor.rows("pci_device"):
        if row["instance_uuid"] == instance and row["compute_node_id"] in nodes and row["status"] == "allocated":
            provider, name = inventory_of(row, place.node)
            found.setdefault(provider, Counter())[name] += 1
    return {provider: dict(amounts) for provider, amounts in found.items()}


def _resources(flavor: Mapping[str, Any]) -> dict[str, int]:
    disk = flavor["root_gb"] + flavor["ephemeral_gb"] + -(-flavor["swap"] // 1024)
    asked = {"VCPU": flavor["vcpus"], "MEMORY_MB": flavor["memory_mb"], "DISK_GB": disk}
    units = vpmem_units(flavor["extra_specs"])
    return {**asked, VPMEM_CLASS: units} if units else asked


_NODES_OF_HOSTS = {EXTRA, *(Place(host, node) for host, nodes in HOSTS.items() for node in nodes)}


def row_violations(world: World) -> Iterator[Violation]:
    """I15: an instance is on a host with a node of that host or on neither; without one it owns no
    CPUs, and one at rest is not in the midst of a migration."""
    for uuid, row in sorted(world.conductor.tables["instance"].items()):
        if row["deleted"]:
            continue
        extra = row["_extra"]
        # Before 28 there is no compute_id.
        where = {name: row[name] for name in ("host", "node", "compute_id") if name in row}
        if len({value is None for value in where.values()}) > 1:
            text = f"{uuid} has " + ", ".join(f"{name} {value}" for name, value in where.items())
            yield Violation(INSTANCE_ROWS, "host", text)
        elif row["host"] is not None and (row["host"], row["node"]) not in _NODES_OF_HOSTS:
            yield Violation(INSTANCE_ROWS, "host", f"{uuid} is on {row['node']}, which is no node of {row['host']}")
        # One that is shelved keeps the topology that it had until it is unshelved.
        if row["host"] is None and row["vm_state"] != "shelved_offloaded" and _is_pinned(extra["numa_topology"]):
            yield Violation(INSTANCE_ROWS, "numa_topology", f"{uuid} is on no host and still pinned to CPUs of one")
        resting = row["vm_state"] == "active" and row["task_state"] is None
        if resting and extra["migration_context"] is not None:
            yield Violation(INSTANCE_ROWS, "migration_context", f"{uuid} is not moving and has a migration context")


def _is_pinned(topology: Any) -> bool:
    if topology is None:
        return False
    cells = [cell["nova_object.data"] for cell in topology["nova_object.data"]["cells"]]
    return any(cell.get("cpu_pinning_raw") for cell in cells)
