"""Units of persistent memory (vPMEM), as the libvirt driver of 20 and newer reports them."""

from __future__ import annotations

from typing import Any

from semafuzz.targets.nova.world.flavors import VPMEM_CLASS, VPMEM_LABEL

UNITS = 3
"""Of each node: what one instance has before and after a resize, and no more."""


def is_there() -> bool:
    """Whether this Nova knows such units."""
    from nova import objects

    return hasattr(objects, "LibvirtVPMEMDevice")


def report_units(provider_tree: Any, node: str) -> None:
    """Add the units of a node to what its provider has: the inventory, and each of them,
    for the tracker to hand out."""
    from nova import objects

    data = provider_tree.data(node)
    unit = {
        "total": UNITS, "max_unit": UNITS, "min_unit": 1, "step_size": 1, "reserved": 0, "allocation_ratio": 1.0,
    }  # fmt: skip
    provider_tree.update_inventory(node, {**data.inventory, VPMEM_CLASS: unit})
    units = set()
    for number in range(UNITS):
        device = objects.LibvirtVPMEMDevice(
            label=VPMEM_LABEL, name=f"ns_{number}", size=4 << 30, devpath=f"/dev/dax0.{number}", align=2 << 20
        )
        units.add(
            objects.Resource(
                provider_uuid=data.uuid, resource_class=VPMEM_CLASS, identifier=device.name, metadata=device
            )
        )
    provider_tree.update_resources(node, {VPMEM_CLASS: units})
