"""I8, I9 and, for PCI devices, I10: states, pools and owners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from semafuzz.targets.nova.invariants.checks import DEVICE_COUNTS, DEVICE_OWNERS, DEVICE_POOLS, SAVED_ROWS, Violation
from semafuzz.targets.nova.invariants.expected_claims import counted, of_unknown_size
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.pci_devices import addresses
from semafuzz.targets.nova.world.world import World

_OWNED = {"claimed": "claims", "allocated": "allocations"}
_BLOCKED = ("unclaimable", "unavailable")


def pci_violations(world: World, tracker: Any, place: Place = HERE) -> Iterator[Violation]:
    """I8: every device has one state, which the tracker's maps and pools agree with.
    I9: every owner is counted here and has as many devices as it asked for."""
    pci = tracker.pci_tracker
    if pci is None or not pci.pci_devs:
        return
    free = Counter(device.address for pool in pci.stats.pools for device in pool["devices"])
    for device in pci.pci_devs:
        wanted = 1 if device.status == "available" else 0
        if free[device.address] != wanted:
            text = f"{device.address} is {device.status} and in {free[device.address]} pools"
            yield Violation(DEVICE_POOLS, "pools", text)
        yield from _family_violations(device)
    for pool in pci.stats.pools:
        if pool["count"] != len(pool["devices"]):
            yield Violation(
                DEVICE_POOLS, "pool count", f"a pool counts {pool['count']} devices and has {len(pool['devices'])}"
            )
    for status, name in _OWNED.items():
        mapped = sorted((uuid, one.address) for uuid, found in getattr(pci, name).items() for one in found)
        marked = sorted((one.instance_uuid, one.address) for one in pci.pci_devs if one.status == status)
        if mapped != marked:
            yield Violation(DEVICE_POOLS, f"{name}", f"the tracker's {name} are {mapped}, devices say {marked}")
    yield from _owner_violations(world, pci, place)


def _family_violations(device: Any) -> Iterator[Violation]:
    """A physical function is blocked exactly while one of its virtual ones is owned, and they
    while it is."""
    if not device.child_devices:
        return
    children = sorted(f"{child.address} {child.status}" for child in device.child_devices)
    owned = any(child.status in _OWNED for child in device.child_devices)
    blocked = [child for child in device.child_devices if child.status in _BLOCKED]
    wanted = len(device.child_devices) if device.status in _OWNED else 0
    if owned != (device.status in _BLOCKED) or len(blocked) != wanted:
        yield Violation(DEVICE_POOLS, "parent", f"{device.address} is {device.status}, its functions are {children}")


def _requested(primitive: Any) -> int:
    if primitive is None:
        return 0
    return sum(one["nova_object.data"]["count"] for one in primitive["nova_object.data"]["requests"])


def _owner_violations(world: World, pci: Any, place: Place) -> Iterator[Violation]:
    instances, shares = counted(world, place)
    wanted = Counter({uuid: _requested(row["_extra"]["pci_requests"]) for uuid, row in instances.items()})
    for share in shares:
        asked = share.of_context("pci_requests") if share.has_context else share.instance["_extra"]["pci_requests"]
        wanted[share.uuid] += _requested(asked)
    # In error it may have fewer: what failed (a deletion, a revert) had given them back already. Without a migration
    # context nothing says how many it is to have.
    may_lack = {uuid for uuid, row in instances.items() if row["vm_state"] == "error"}
    may_lack |= {share.uuid for share in shares if not share.has_context}
    unknown = of_unknown_size(world, place)
    have = Counter(device.instance_uuid for device in pci.pci_devs if device.instance_uuid)
    for uuid in sorted({*wanted, *have}):
        if uuid not in wanted and uuid in unknown:
            continue
        if uuid not in wanted:
            yield Violation(DEVICE_OWNERS, "owner", f"{have[uuid]} PCI devices belong to {uuid}, which is not here")
        elif have[uuid] > wanted[uuid] or (have[uuid] < wanted[uuid] and uuid not in may_lack):
            yield Violation(
                DEVICE_COUNTS, "devices", f"{uuid} has {have[uuid]} PCI devices and asked for {wanted[uuid]}"
            )


def saved_pci_violations(world: World, tracker: Any, place: Place = HERE) -> Iterator[Violation]:
    """I10: after an audit, the rows of the devices and of the node's pools say the same."""
    pci = tracker.pci_tracker
    if pci is None or not pci.pci_devs:
        return
    node = world.node_row(place.node)
    saved = sorted(
        (row["address"], row["status"], row["instance_uuid"])
        for row in world.conductor.rows("pci_device")
        if row["compute_node_id"] == node["id"]
    )
    live = sorted((device.address, device.status, device.instance_uuid) for device in pci.pci_devs)
    if saved != live:
        yield Violation(SAVED_ROWS, "pci_devices", f"the rows say {saved}, the tracker {live}")
    pools = Counter(str(one["nova_object.data"]["product_id"]) for one in _pool_data(node) for _ in range(_count(one)))
    free = Counter(str(device.product_id) for device in pci.pci_devs if device.status == "available")
    if pools != free:
        yield Violation(
            SAVED_ROWS, "pci_device_pools", f"the node's row has {dict(pools)} free, the tracker {dict(free)}"
        )


def reported_violations(world: World, fresh: Any, place: Place = HERE) -> Iterator[Violation]:
    """I8: a tracker that has just started knows the devices that the hypervisor reports, and
    besides them only those that somebody has. Nova asks for them once, at its start."""
    pci = fresh.pci_tracker
    if pci is None or not pci.pci_devs:
        return
    in_placement = bool(world.configuration.get("report_in_placement"))
    reported = addresses(world.hosts[place.host].driver.devices, in_placement)
    known = {device.address for device in pci.pci_devs}
    free = {device.address for device in pci.pci_devs if device.status == "available"}
    if reported - known or free - reported:
        text = f"the hypervisor has {sorted(reported)}, the tracker {sorted(known)}, free are {sorted(free)}"
        yield Violation(DEVICE_POOLS, "reported", text)


def _pool_data(node: Any) -> list[Any]:
    pools = node["pci_device_pools"]
    return [] if pools is None else list(pools["nova_object.data"]["objects"])


def _count(pool: Any) -> int:
    return int(pool["nova_object.data"]["count"])


def pci_figures(tracker: Any) -> list[Any]:
    """What the oracles above look at in a tracker, for telling states apart."""
    pci = tracker.pci_tracker
    if pci is None or not pci.pci_devs:
        return []
    maps = [
        sorted((uuid, sorted(device.address for device in found)) for uuid, found in mapping.items())
        for mapping in (pci.claims, pci.allocations)
    ]
    devices = [(device.address, device.status, device.instance_uuid) for device in pci.pci_devs]
    pools = sorted((pool["count"], sorted(device.address for device in pool["devices"])) for pool in pci.stats.pools)
    return [devices, maps, pools]
