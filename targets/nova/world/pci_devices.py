"""The PCI devices of the hosts: two cards, and a physical function with two virtual ones."""

from __future__ import annotations

import json
from typing import Any

_VENDOR, _CARD, _PF, _VF = "8086", "154d", "10fb", "10ed"
DEVICE_SPEC = [json.dumps({"vendor_id": _VENDOR, "product_id": product}) for product in (_CARD, _PF, _VF)]
"""``[pci] device_spec``: what instances may have."""
IN_PLACEMENT = [DEVICE_SPEC[0], DEVICE_SPEC[2]]
"""The same where placement is told of devices: that refuses a physical function beside its virtual ones."""
FUNCTION = {"vendor_id": _VENDOR, "product_id": _VF, "dev_type": "type-VF"}
"""What a port asks for."""
ALIASES = [
    json.dumps({"name": name, "vendor_id": _VENDOR, "product_id": product, "device_type": kind})
    for name, product, kind in (("card", _CARD, "type-PCI"), ("pf", _PF, "type-PF"), ("vf", _VF, "type-VF"))
]
"""``[pci] alias``: what flavors ask for."""


def _device(address: str, product: str, kind: str, cell: int, parent: str | None = None) -> dict[str, Any]:
    return {
        "address": address,
        "vendor_id": _VENDOR,
        "product_id": product,
        "status": "available",
        "dev_type": kind,
        "parent_addr": parent,
        "numa_node": cell,
        "label": f"label_{_VENDOR}_{product}",
        "dev_id": f"pci_{address.replace(':', '_').replace('.', '_')}",
    }


PARENT = "0000:82:00.0"
_DEVICES = [
    _device("0000:81:00.0", _CARD, "type-PCI", 0),
    _device("0000:81:00.1", _CARD, "type-PCI", 1),
    _device(PARENT, _PF, "type-PF", 0),
    _device("0000:82:10.0", _VF, "type-VF", 0, PARENT),
    _device("0000:82:10.2", _VF, "type-VF", 0, PARENT),
]
REPORTED = json.dumps(_DEVICES)
"""What a driver reports of a host."""
WITHOUT_ONE = json.dumps(_DEVICES[:-1])
"""The same once the virtual function that is given out first has been removed."""
WITHOUT_SEVERAL = json.dumps([_DEVICES[0], _DEVICES[2]])
"""Once a card and both virtual functions are gone."""
CHANGED = json.dumps([*_DEVICES[:2], {**_DEVICES[2], "dev_type": "type-PCI"}])
"""Once the physical function has none of its own: it is a device like others."""


def inventory_of(row: Any, node: str) -> tuple[str, str]:
    """Where placement counts a device, given its row: the name of the provider, and the class. Virtual functions are
    counted with their physical one."""
    provider = f"{node}_{row['parent_addr'] or row['address']}"
    return provider, f"CUSTOM_PCI_{row['vendor_id']}_{row['product_id']}".upper()


def addresses(reported: str, in_placement: bool = False) -> set[str]:
    """Of those devices in a report that instances may have."""
    return {one["address"] for one in json.loads(reported) if not (in_placement and one["product_id"] == _PF)}
