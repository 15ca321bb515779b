"""Moves of an instance over both hosts, and off them, by Nova's own ``ComputeManager``.

Here nothing is re-enacted but what the API, the conductor and the scheduler do
(``requests``): the managers of both hosts run as released, with their messages to
each other, their row writes and their handling of errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from semafuzz.targets.nova.boundary.calls import done_elsewhere
from semafuzz.targets.nova.operations.managed import requests
from semafuzz.targets.nova.world.flavors import FLAVORS
from semafuzz.targets.nova.world.names import HERE, OTHER
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.rpc import UnsentError
from semafuzz.targets.nova.world.tracker_factory import called
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


def resize(world: World, number: int, destination: Place, *, doubled: bool = False) -> None:
    """A resize, from the conductor's message to where it waits to be confirmed."""
    migration = requests.start_move(world, number, destination, "resize", doubled=doubled)
    with done_elsewhere():
        context = world.context()
        instance = world.instance(number, context)
        flavor = world.flavor(FLAVORS[instance.flavor.id].larger)
    world.bus.perform(
        destination.host, "prep_resize", image={}, instance=instance, flavor=flavor, node=destination.node,
        request_spec=requests.request_spec(world), filter_properties={}, clean_shutdown=True, migration=migration,
        host_list=[], reservations=None,
    )  # fmt: skip


def resize_away(world: World, arguments: Arguments) -> None:
    """From here to the other host."""
    resize(world, arguments["instance"], OTHER)


def resize_here(world: World, arguments: Arguments) -> None:
    """To here: from the other host, or on this one."""
    resize(world, arguments["instance"], HERE)


def resize_fails(world: World, arguments: Arguments) -> None:
    """From the other host to here, where the source cannot be told to begin: the claim is
    aborted and the allocation given back. Up to 18 it is given back by the tracker's
    ``delete_allocation_for_failed_resize``, from 17 on for an instance that holds both
    allocations, as conductors before that left it."""
    legacy = hasattr(world.hosts[HERE.host].tracker, "delete_allocation_for_failed_resize")
    try:
        with world.bus.refusing("resize_instance"):
            resize(world, arguments["instance"], HERE, doubled=legacy)
    except UnsentError:
        pass


def confirm(world: World, arguments: Arguments) -> None:
    """The source gives up what it held."""
    instance, migration = requests.end_resize(world, arguments["instance"], confirm=True)
    world.bus.perform(
        migration.source_compute, "confirm_resize", instance=instance, migration=migration, reservations=None
    )


def confirm_again(world: World, arguments: Arguments) -> None:
    """The API has been asked twice and sends a second message: a person and the periodic task
    (``resize_confirm_window``), or a person who has no patience."""
    instance, migration = requests.end_resize(world, arguments["instance"], confirm=True, again=True)
    world.bus.perform(
        migration.source_compute, "confirm_resize", instance=instance, migration=migration, reservations=None
    )


def revert(world: World, arguments: Arguments) -> None:
    """The destination gives up what it held, then the source takes the instance back."""
    instance, migration = requests.end_resize(world, arguments["instance"], confirm=False)
    world.bus.perform(
        migration.dest_compute, "revert_resize", instance=instance, migration=migration,
        request_spec=requests.request_spec(world), reservations=None,
    )  # fmt: skip


def live_migrate(world: World, number: int, destination: Place) -> None:
    """A live migration: the conductor's task (``LiveMigrationTask``) with its checks on
    both hosts, then the source's part."""
    from nova import exception

    with done_elsewhere():
        _check_live_migration(world, number, destination)
    migration = requests.start_move(world, number, destination, "live-migration")
    with done_elsewhere():
        context = world.context()
        instance = world.instance(number, context)
    sender = world.bus.rpcapi()
    try:
        # Up to 19 nothing is claimed, so that neither migration nor limits are sent.
        data = called(
            sender.check_can_live_migrate_destination, context, instance, destination.host, False, False,
            migration=migration, limits=None,
        )  # fmt: skip
    except Exception as error:
        requests.give_up_move(world, number, migration)
        if isinstance(error, exception.MigrationPreCheckError):
            return
        raise
    with done_elsewhere():
        migration.source_node, migration.dest_node = instance.node, destination.node
        migration.dest_compute = destination.host
        migration.save()
    world.bus.perform(
        migration.source_compute, "live_migration", dest=destination.host, instance=instance, block_migration=False,
        migration=migration, migrate_data=data,
    )  # fmt: skip
    requests.check_moved(world, number)


def abort_migration(world: World, arguments: Arguments) -> None:
    """Somebody calls a live migration off, while it waits, is prepared or runs. Refused where there is none; up to
    17 one that does not run yet cannot be called off."""
    from nova import exception
    from nova.compute.manager import ComputeManager

    with done_elsewhere():
        context = world.context()
        instance, migration = (
            world.instance(arguments["instance"], context),
            world.migration_of(arguments["instance"], context),
        )
        queued = ("queued", "preparing") if hasattr(ComputeManager, "_cleanup_live_migrations_in_pool") else ()
        if migration.migration_type != "live-migration" or migration.status not in ("running", *queued):
            raise exception.MigrationNotFound(migration_id=migration.id)
    world.bus.perform(migration.source_compute, "live_migration_abort", instance=instance, migration_id=migration.id)


def _check_live_migration(world: World, number: int, destination: Place) -> None:
    """What the conductor refuses: before 31 to move PCI devices other than those of ports; in 19, and some releases
    before it, NUMA topologies; and what the scheduler does: a host whose devices, by the rows, are not enough."""
    from nova import exception
    from nova.compute.manager import ComputeManager

    instance = world.instance(number, world.context(), ("pci_requests", "numa_topology"))
    if instance.numa_topology and world.refuses_numa_live_migration:
        raise exception.MigrationPreCheckError(reason="NUMA topologies are not calculated again")
    if instance.pci_requests.requests and not hasattr(ComputeManager, "_flavor_based_pci_claim"):
        raise exception.MigrationPreCheckError(reason="non-VIF PCI devices are not supported")
    if not _has_devices(world, destination, instance.pci_requests.requests):
        raise exception.MigrationPreCheckError(reason="no host has the PCI devices")


def _has_devices(world: World, place: Place, wanted: Iterable[Any]) -> bool:
    """Whether a node's rows have devices left for requests, as the scheduler's PciPassthroughFilter sees them; NUMA
    cells are not looked at."""
    rows = world.conductor.rows
    nodes = {row["id"] for row in rows("compute_node") if row["hypervisor_hostname"] == place.node}
    free = [row for row in rows("pci_device") if row["compute_node_id"] in nodes and row["status"] == "available"]
    for request in wanted:
        fitting = [row for row in free if any(_is_like(row, spec) for spec in request.spec)]
        if len(fitting) < request.count:
            return False
        free = [row for row in free if row not in fitting[: request.count]]
    return True


def _is_like(row: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    return all(row[key] == spec[key] for key in ("vendor_id", "product_id", "dev_type") if key in spec)


def live_migrate_away(world: World, arguments: Arguments) -> None:
    """From here to the other host."""
    live_migrate(world, arguments["instance"], OTHER)


def live_migrate_here(world: World, arguments: Arguments) -> None:
    """From the other host to here."""
    live_migrate(world, arguments["instance"], HERE)


def evacuate_here(world: World, arguments: Arguments) -> None:
    """The other host is down: the instance is rebuilt here."""
    migration = requests.start_move(world, arguments["instance"], HERE, "evacuation")
    with done_elsewhere():
        instance = world.instance(arguments["instance"], world.context())
    world.bus.perform(
        HERE.host, "rebuild_instance", instance=instance, orig_image_ref=None, image_ref=None, injected_files=[],
        new_pass="", orig_sys_metadata={}, bdms=None, recreate=True, on_shared_storage=None,
        preserve_ephemeral=False, migration=migration, scheduled_node=HERE.node, limits={},
        request_spec=None, accel_uuids=[],
    )  # fmt: skip


def shelve(world: World, arguments: Arguments) -> None:
    """A shelved instance leaves the host."""
    instance = requests.set_state(world, arguments["instance"], "shelved", "shelving_offloading")
    world.bus.perform(HERE.host, "shelve_offload_instance", instance=instance, clean_shutdown=True, accel_uuids=[])


def unshelve(world: World, arguments: Arguments) -> None:
    """The scheduler has chosen this host for an instance that was offloaded."""
    with done_elsewhere():
        offloaded = world.instance(arguments["instance"], world.context())
        world.allocate(offloaded.uuid, HERE.node, offloaded.flavor.id)
        instance = requests.set_state(world, arguments["instance"], "shelved_offloaded", "unshelving")
    world.bus.perform(
        HERE.host, "unshelve_instance", instance=instance, image=None, filter_properties={}, node=HERE.node,
        request_spec=requests.request_spec(world), accel_uuids=[],
    )  # fmt: skip


def audit_other(world: World, arguments: Arguments) -> None:
    """The periodic task of the other host, while its service is up."""
    if OTHER.host in world.down:
        return
    host = world.hosts[OTHER.host]
    world.on(OTHER.host, host.tracker.update_available_resource, world.context(), OTHER.node)
