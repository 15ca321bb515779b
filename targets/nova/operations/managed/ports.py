"""Ports with a virtual function of their own, plugged into a running instance and unplugged.

By Nova's own ``ComputeManager``, which claims the device and gives it back through the
tracker (23 and newer).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.boundary.calls import done_elsewhere
from semafuzz.targets.nova.world.names import BY_API, HERE
from semafuzz.targets.nova.world.network import Network, port_of
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]
LOADED = (*BY_API, "pci_requests", "pci_devices")


def attach_port(world: World, arguments: Arguments) -> None:
    """The API plugs the instance's port in. Raises ComputeResourcesUnavailable where the
    host has no virtual function left, or the port is plugged in: nothing has changed then."""
    from nova import exception

    with done_elsewhere():
        instance = world.instance(arguments["instance"], world.context(), LOADED)
    if any(one.request_id == port_of(instance.uuid) for one in instance.pci_requests.requests):
        raise exception.ComputeResourcesUnavailable(reason="the port is plugged in already")
    try:
        world.bus.perform(
            HERE.host, "attach_interface", instance=instance, network_id=None, port_id=port_of(instance.uuid),
            requested_ip=None, tag=None,
        )  # fmt: skip
    except exception.InterfaceAttachPciClaimFailed as error:
        raise exception.ComputeResourcesUnavailable(reason=str(error)) from error


def detach_port(world: World, arguments: Arguments) -> None:
    """The API unplugs it."""
    from nova import objects
    from nova.network.model import NetworkInfo

    with done_elsewhere():
        instance = world.instance(arguments["instance"], world.context(), LOADED)
        port = port_of(instance.uuid)
        plugged = NetworkInfo([Network.interface(instance, port)])
        instance.info_cache = objects.InstanceInfoCache(instance_uuid=instance.uuid, network_info=plugged)
        instance.info_cache.obj_reset_changes()
        instance.obj_reset_changes(["info_cache"])
    world.bus.perform(HERE.host, "detach_interface", instance=instance, port_id=port)
