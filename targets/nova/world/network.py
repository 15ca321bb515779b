"""The network service: one port for each instance, which has a device where it is plugged in."""

from __future__ import annotations

import uuid
from typing import Any

from semafuzz.targets.nova.world.pci_devices import FUNCTION
from semafuzz.targets.nova.world.stubs import NullService


def port_of(instance_uuid: str) -> str:
    """The port of an instance."""
    return str(uuid.UUID(int=uuid.UUID(instance_uuid).int + 0xF0000))


class Network(NullService):
    """The network service, as far as ports with devices go."""

    def create_resource_requests(
        self, context: Any, requested: Any, pci_requests: Any = None, affinity_policy: Any = None
    ) -> tuple[Any, ...]:
        """What a port asks of the host: a virtual function."""
        from nova import objects
        from nova.network import neutron

        for one in requested or ():
            # It is a number of its own; the port's will do.
            asked = {"count": 1, "spec": [FUNCTION], "request_id": one.port_id, "requester_id": one.port_id}
            pci_requests.requests.append(objects.InstancePCIRequest(**asked))
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
