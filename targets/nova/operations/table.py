"""The operations of the tracker, as the compute manager performs them.

Each runs the tracker's own method and, in their legal order, the row writes that
``ComputeManager`` makes around it without the lock (re-enacted in ``builds`` and
``moves``, also for calls that fail; the tracker, its claims and its statistics are
Nova's own code).

An instance has a *role*, and an operation asks for one and leaves one, so that
programs only contain orders that the manager can produce. ``shared`` operations may
run beside others on the same instance: the manager makes them from other threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.operations.hosts import (
    audit_all,
    disable_service,
    enable_service,
    host_grows,
    host_shrinks,
)
from semafuzz.targets.nova.operations.hotplug import (
    device_changes_type,
    device_returns,
    device_vanishes,
    devices_vanish,
)
from semafuzz.targets.nova.operations.managed import builds, moves, ports
from semafuzz.targets.nova.operations.managed.second_node import boot_extra
from semafuzz.targets.nova.operations.nodes import node_appears, node_vanishes, read_node, reload
from semafuzz.targets.nova.operations.reenacted.builds import build, claim, claim_abort, delete, update_usage
from semafuzz.targets.nova.operations.reenacted.manager import ReenactedManager
from semafuzz.targets.nova.operations.reenacted.moves import (
    drop_move_claim,
    drop_move_claim_at_dest,
    drop_move_claim_at_source,
    move,
    resize_claim,
    resize_claim_abort,
)
from semafuzz.targets.nova.operations.restarts import restart, restart_gracefully, restart_other
from semafuzz.targets.nova.operations.spec import OperationSpec
from semafuzz.targets.nova.world.flavors import FLAVORS
from semafuzz.targets.nova.world.names import EXTRA, HOST, NODE, OTHER
from semafuzz.targets.nova.world.world import World

__all__ = ["HOST", "NODE", "OTHER", "ROLES", "TABLE", "OperationSpec", "set_up"]
Arguments = Mapping[str, Any]


def audit(world: World, arguments: Arguments) -> None:
    """The periodic task: ``update_available_resource``."""
    world.hosts[HOST].tracker.update_available_resource(world.context(), NODE)


def build_failed(world: World, arguments: Arguments) -> None:
    """The manager counts a failed build."""
    world.hosts[HOST].tracker.build_failed(NODE)


def build_succeeded(world: World, arguments: Arguments) -> None:
    """The manager forgets the failed builds."""
    world.hosts[HOST].tracker.build_succeeded(NODE)


def remove_node(world: World, arguments: Arguments) -> None:
    """The periodic task found that the driver does not report the node."""
    world.hosts[HOST].tracker.remove_node(NODE)


TABLE: dict[str, OperationSpec] = {
    spec.name: spec
    for spec in (
        OperationSpec("claim", claim, ("instance",), "new", "active", weight=4),
        OperationSpec("remove_node", remove_node, weight=1, needs="remove_node"),
        OperationSpec("claim_abort", claim_abort, ("instance",), "new", "failed", weight=3),
        OperationSpec("update_usage", update_usage, ("instance",), "active", "active", shared=True),
        OperationSpec("delete", delete, ("instance",), "active", "gone", weight=3),
        OperationSpec("resize_claim", resize_claim, ("instance",), "incoming", "arriving", weight=3),
        OperationSpec("resize_claim_abort", resize_claim_abort, ("instance",), "incoming", "settled"),
        OperationSpec("drop_move_claim", drop_move_claim, ("instance",), "arriving", "settled"),
        OperationSpec(
            "drop_move_claim_at_dest", drop_move_claim_at_dest, ("instance",), "arrived", "settled", far=True
        ),
        OperationSpec("drop_move_claim_at_source", drop_move_claim_at_source, ("instance",), "leaving", "settled"),
        OperationSpec("build_failed", build_failed, weight=3),
        OperationSpec("build_succeeded", build_succeeded),
        OperationSpec("audit", audit, weight=6, follower="claim"),
        OperationSpec("read_node", read_node, weight=3),
        OperationSpec("node_appears", node_appears, weight=1),
        OperationSpec("node_vanishes", node_vanishes, weight=1),
        OperationSpec("audit_other", moves.audit_other, far=True, weight=1, outside=True),
        OperationSpec("reload", reload, weight=1),
        OperationSpec("restart", restart, weight=1, outside=True),
        OperationSpec("device_vanishes", device_vanishes, weight=1, outside=True),
        OperationSpec("device_returns", device_returns, weight=1, outside=True),
        OperationSpec("devices_vanish", devices_vanish, weight=1, outside=True, like="device_vanishes"),
        OperationSpec("device_changes_type", device_changes_type, weight=1, outside=True, like="device_vanishes"),
        OperationSpec("restart_other", restart_other, weight=1, far=True, outside=True),
        OperationSpec("restart_gracefully", restart_gracefully, weight=1, outside=True),
        OperationSpec(
            "abort_migration_away",
            moves.abort_migration,
            ("instance",),
            "active",
            "active",
            shared=True,
            far=True,
            weight=1,
            outside=True,
        ),
        OperationSpec(
            "abort_migration_here",
            moves.abort_migration,
            ("instance",),
            "there",
            "there",
            shared=True,
            far=True,
            weight=1,
            outside=True,
            like="abort_migration_away",
        ),
        OperationSpec(
            "confirm_again",
            moves.confirm_again,
            ("instance",),
            "leaving",
            "leaving",
            shared=True,
            far=True,
            weight=1,
            outside=True,
        ),
        OperationSpec("boot_extra", boot_extra, ("instance",), "new", "extra", weight=1, outside=True),
        OperationSpec(
            "terminate_extra", builds.terminate, ("instance",), "extra", "gone", weight=1, outside=True, like="delete"
        ),
        OperationSpec("host_shrinks", host_shrinks, weight=1, like="audit"),
        OperationSpec("host_grows", host_grows, weight=1, like="audit"),
        OperationSpec("disable_service", disable_service, weight=1, outside=True),
        OperationSpec("enable_service", enable_service, weight=1, outside=True, like="disable_service"),
        OperationSpec("audit_all", audit_all, weight=1, like="audit"),
        OperationSpec(
            "resize_away", moves.resize_away, ("instance",), "active", "leaving", far=True, weight=1, outside=True
        ),
        OperationSpec(
            "resize_here", moves.resize_here, ("instance",), "there", "arrived", far=True, weight=1, outside=True
        ),
        OperationSpec(
            "resize_fails", moves.resize_fails, ("instance",), "there", "settled", far=True, weight=1, outside=True
        ),
        OperationSpec("resize_in_place", moves.resize_here, ("instance",), "active", "resized", weight=1, outside=True),
        OperationSpec(
            "confirm_away", moves.confirm, ("instance",), "leaving", "elsewhere", far=True, weight=1, outside=True
        ),
        OperationSpec(
            "confirm_here", moves.confirm, ("instance",), "arrived", "active", far=True, weight=1, outside=True
        ),
        OperationSpec("confirm_in_place", moves.confirm, ("instance",), "resized", "active", weight=1, outside=True),
        OperationSpec(
            "revert_away", moves.revert, ("instance",), "leaving", "active", far=True, weight=1, outside=True
        ),
        OperationSpec("revert_here", moves.revert, ("instance",), "arrived", "there", far=True, weight=1, outside=True),
        OperationSpec("revert_in_place", moves.revert, ("instance",), "resized", "active", weight=1, outside=True),
        OperationSpec(
            "live_migrate_away",
            moves.live_migrate_away,
            ("instance",),
            "active",
            "there",
            far=True,
            weight=1,
            outside=True,
        ),
        OperationSpec(
            "live_migrate_here",
            moves.live_migrate_here,
            ("instance",),
            "there",
            "active",
            far=True,
            weight=1,
            outside=True,
        ),
        OperationSpec(
            "evacuate_here", moves.evacuate_here, ("instance",), "there", "active", far=True, weight=1, outside=True
        ),
        OperationSpec("boot", builds.boot, ("instance",), "new", "active", weight=1, like="claim", outside=True),
        OperationSpec(
            "boot_fails", builds.boot_fails, ("instance",), "new", "failed", weight=1, like="claim_abort", outside=True
        ),
        OperationSpec("rebuild", builds.rebuild, ("instance",), "active", "active", weight=1, outside=True),
        OperationSpec(
            "terminate", builds.terminate, ("instance",), "active", "gone", weight=1, like="delete", outside=True
        ),
        OperationSpec(
            "attach_port",
            ports.attach_port,
            ("instance",),
            "active",
            "plugged",
            weight=1,
            needs="unclaim_pci_devices",
            outside=True,
        ),
        OperationSpec(
            "detach_port",
            ports.detach_port,
            ("instance",),
            "plugged",
            "active",
            weight=1,
            needs="unclaim_pci_devices",
            outside=True,
        ),
        OperationSpec("shelve", moves.shelve, ("instance",), "active", "shelved", weight=1, outside=True),
        OperationSpec("unshelve", moves.unshelve, ("instance",), "shelved", "active", weight=1, outside=True),
    )
}

ROLES = (
    "new", "active", "incoming", "arriving", "arrived", "leaving", "there", "resized", "shelved", "plugged", "extra",
)  # fmt: skip
"""The roles in which an instance can start: to be built; running here; about to be
resized to here; claimed here; resized to here and waiting to be confirmed or
reverted; resized away and waiting likewise; running on the other host; resized on this
host and waiting likewise; offloaded from here; running here with a port that has a device;
running on a second node of this host."""


def set_up(world: World, arguments: Arguments) -> None:
    """Bring one instance into its starting role; runs before the tasks, alone."""
    from nova import exception

    number, role, flavor = arguments["instance"], arguments["role"], arguments["flavor"]
    uuid, larger = world.uuid(number), FLAVORS[flavor].larger
    here = role in ("new", "active", "leaving", "resized", "shelved", "plugged", "extra")
    host, node = (HOST, NODE) if here else OTHER
    if role == "extra":
        # The first audit of a node makes its record, in older releases the second its provider.
        for _ in range(2):
            world.on(HOST, node_appears, world, arguments)
        node = EXTRA.node
        if world.flavor(flavor).extra_specs:
            raise exception.ComputeResourcesUnavailable(reason="a node of several has no cells and devices")
    world.create_instance(number, flavor)
    world.allocate(uuid, node, flavor)
    if role == "new":
        return
    world.on(host, build, world, number, lambda: None, ReenactedManager(world, host), node)
    if role in ("active", "there", "extra"):
        return
    if role == "plugged" and not world.pci:
        raise exception.ComputeResourcesUnavailable(reason="the host has no devices")
    brought = {"resized": moves.resize_here, "shelved": moves.shelve, "plugged": ports.attach_port}.get(role)
    if brought is not None:
        brought(world, arguments)
        return
    destination = OTHER if here else (HOST, NODE)
    if ReenactedManager(world).migrations_hold:
        migration = world.create_migration(number, flavor, larger, (host, node))
        # The conductor hands the allocation to the migration, the scheduler makes a new one.
        world.deallocate(uuid)
        world.allocate(migration.uuid, node, flavor)
        world.allocate(uuid, destination[1], larger)
    else:
        # 16: the scheduler doubles the instance's.
        world.prepare_resize(number, flavor, larger)
        world.allocate_on(uuid, [(node, flavor), (destination[1], larger)])
    if role == "arriving":
        world.on(HOST, resize_claim, world, arguments)
    if role in ("arrived", "leaving"):
        move(world, number, larger, flavor, destination)
        world.on(HOST, audit, world, {})
