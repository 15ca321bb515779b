"""The network service: one port for each instance, which has a device where it is plugged in."""

from __future__ import annotations

import uuid
from typing import Any

from semafuzz.targets.nova.world.null_service import NullService
from semafuzz.targets.nova.world.pci_devices import FUNCTION


def port_of(instance_uuid: str) -> str:
    """The port of an instance."""
    return str(uuid.UUID(int=uuid.UUID(instance_uuid).int + 0xF0000))


def port_request(instance_uuid: str) -> Any:
    """What the port of an instance asks of its host: a virtual function. The number of the request is one of its own
    in Nova; the port's will do."""
    from nova import objects

    port = port_of(instance_uuid)
    return objects.InstancePCIRequest(count=1, spec=[FUNCTION], request_id=port, requester_id=port)


def ports_of(instance: Any) -> Any:
    """What Nova's cache says of the network of an instance: its port, once it has a device on the instance's host."""
    from nova.network.model import VIF, NetworkInfo
    from nova.objects import base

    conductor = base.NovaObject.indirection_api
    port = port_of(instance.uuid)
    address = None if conductor is None else conductor.device_of(instance.uuid, port, instance.host)
    return NetworkInfo([] if address is None else [VIF(id=port, profile={"pci_slot": address})])


class Network(NullService):
    """The network service, as far as ports with devices go."""

    def has_port_binding_extension(self, *asked: object, **options: object) -> bool:
        """Whether a port can be bound on two hosts, which a live migration needs that takes its device along."""
        return True

    supports_port_binding_extension = has_port_binding_extension
    """As 18 to 24 call it."""

    def create_resource_requests(
        self, context: Any, requested: Any, pci_requests: Any = None, affinity_policy: Any = None
    ) -> tuple[Any, ...]:
        """What a port asks of the host: a virtual function."""
        from nova.network import neutron

        pci_requests.requests += [port_request(pci_requests.instance_uuid) for _ in requested or ()]
        # Before 24 nothing is said of all groups together.
        return (None, [], None) if hasattr(neutron.API, "has_extended_resource_request_extension") else (None, [])

    def allocate_for_instance(self, context: Any, instance: Any, requested: Any, **options: Any) -> Any:
        """The port is bound to the device that was claimed for it."""
        from nova.network.model import NetworkInfo

        return NetworkInfo([self.interface(instance, one.port_id) for one in requested or ()])

    def deallocate_port_for_instance(self, context: Any, instance: Any, port: str) -> tuple[Any, Any]:
        """The port is not bound any more; it held nothing in placement."""
        return None, {}

    @staticmethod
    def interface(instance: Any, port: str) -> Any:
        """The interface of a port, with the address of its device."""
        from nova.network.model import VIF

        found = [one.address for one in instance.pci_devices if one.request_id == port]
        return VIF(id=port, profile={"pci_slot": found[0]} if found else {})
