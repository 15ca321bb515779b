"""Remotable methods of PCI devices, as the conductor performs them.

A device is found by its node and address. Saving one that the database does not know
inserts it; one that was removed is deleted, and the object then keeps its unsaved fields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from semafuzz.targets.nova.boundary.primitives import Primitive, Row, differences, set_fields, wrap


class PciRemotables:
    """Mixed into the conductor, which has the tables and the counters."""

    tables: dict[str, dict[Any, Any]]
    next_id: Callable[[], int]
    now: Callable[[], str]

    def do_PciDevice_save(self, context: Any, device: Any) -> Row:
        """``PciDevice.save``"""
        from nova import exception

        changed = set(device.obj_what_changed())
        row = self._device(device.compute_node_id, device.address)
        if device.status == "removed":
            if row is None:
                raise exception.PciDeviceNotFound(node_id=device.compute_node_id, address=device.address)
            row["deleted"], row["deleted_at"] = True, self.now()
            return {"status": "deleted", "obj_what_changed": sorted(changed | {"status"})}
        if device.status == "deleted" or not changed:
            return {"obj_what_changed": sorted(changed)}
        if row is None:
            row = dict.fromkeys(device.fields)
            row.update(deleted=False, extra_info={}, id=self.next_id(), created_at=self.now())
            self.tables["pci_device"][row["id"]] = row
        else:
            row["updated_at"] = self.now()
        row.update(set_fields(device, changed))
        return {**differences(device, row, device.fields, {}), "obj_what_changed": []}

    def _device(self, node: int, address: str) -> Row | None:
        for row in self.tables["pci_device"].values():
            if row["compute_node_id"] == node and row["address"] == address and not row["deleted"]:
                return row  # type: ignore[no-any-return]
        return None

    def _devices(self, context: Any, **wanted: Any) -> Primitive:
        from nova import objects

        found = [
            wrap("PciDevice", objects.PciDevice.VERSION, row)
            for row in self.tables["pci_device"].values()
            if (not row["deleted"] or context.read_deleted != "no")
            and all(row[name] == value for name, value in wanted.items())
        ]
        return wrap("PciDeviceList", objects.PciDeviceList.VERSION, {"objects": found})

    def do_PciDeviceList_get_by_compute_node(self, context: Any, node_id: int) -> Primitive:
        """``PciDeviceList.get_by_compute_node``"""
        return self._devices(context, compute_node_id=node_id)

    def do_PciDeviceList_get_by_instance_uuid(self, context: Any, uuid: str) -> Primitive:
        """``PciDeviceList.get_by_instance_uuid``: what is claimed only is not among them."""
        return self._devices(context, instance_uuid=uuid, status="allocated")
