"""The conductor: Nova's own ConductorManager over Nova's own database layer.

Stands where ``semafuzz.targets.nova.in_memory.conductor.Conductor`` stands. A call is serialised as for
RPC, performed by the manager without any scheduling point, and its answer comes back
as copies. Rows can be looked at in the form in which objects travel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from semafuzz.targets.nova.boundary.calls import ConductorBoundary
from semafuzz.targets.nova.boundary.primitives import Row, bare_node
from semafuzz.targets.nova.real.server_side import Elsewhere, unseen
from semafuzz.targets.nova.real.services import database_layer, nova_database, transactions

LOADED = (
    "flavor", "numa_topology", "pci_requests", "migration_context", "resources", "metadata", "system_metadata",
)  # fmt: skip
"""What is loaded of an instance whose row is looked at."""
_EXTRAS = ("flavor", "old_flavor", "new_flavor", "numa_topology", "pci_requests", "migration_context", "resources")

_DEVICE = """
SELECT pci_devices.address FROM pci_devices JOIN compute_nodes ON compute_nodes.id = pci_devices.compute_node_id
WHERE pci_devices.instance_uuid = :instance AND pci_devices.request_id = :request AND compute_nodes.host = :host
AND pci_devices.deleted = 0 ORDER BY pci_devices.id
"""


class RealConductor(ConductorBoundary):
    """The indirection API over Nova's database layer."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        from nova.conductor.manager import ConductorManager
        from nova.objects import base

        super().__init__()
        self._start: Any = None
        self.missing = ""
        """Every method is there."""
        self.elsewhere = elsewhere
        self._database = nova_database()
        self._database.clear()
        # Its constructor makes clients of other services, which nothing here asks.
        self._manager = ConductorManager.__new__(ConductorManager)
        self._serializer = base.NovaObjectSerializer()
        self._tables: dict[str, dict[Any, Row]] | None = None

    def snapshot(self) -> Any:
        """All rows, to be given to :meth:`restore`."""
        return self._database.snapshot(), self.elsewhere.tick, self.elsewhere.made

    def restore(self, snapshot: Any) -> None:
        """Put the rows back as they were."""
        self._start = snapshot
        data, self.elsewhere.tick, self.elsewhere.made = snapshot
        self._database.restore(data)
        self._tables = None

    # ------------------------------------------------ the indirection API

    def _perform_on_class(
        self, context: Any, objname: str, objmethod: str, object_versions: Any, args: Any, kwargs: Any
    ) -> Any:
        method = "object_class_action_versions"
        return self._perform(context, method, objname, objmethod, object_versions, tuple(args), kwargs)

    def _perform_on_object(self, context: Any, objinst: Any, objmethod: str, args: Any, kwargs: Any) -> Any:
        return self._perform(context, "object_action", objinst, objmethod, tuple(args), kwargs)

    def _perform(self, context: Any, method: str, *arguments: Any) -> Any:
        """One request to the manager; its answer as it travels."""
        from nova.context import RequestContext
        from oslo_messaging.rpc.dispatcher import ExpectedException
        from oslo_serialization import jsonutils

        self._tables = None
        with unseen():
            sent = jsonutils.dumps([self._serializer.serialize_entity(context, one) for one in arguments])
            there = RequestContext.from_dict(context.to_dict())
        with self.elsewhere.running():
            received = [self._serializer.deserialize_entity(there, one) for one in jsonutils.loads(sent)]
            try:
                answer = getattr(self._manager, method)(there, *received)
            except ExpectedException as error:
                raise error.exc_info[1].with_traceback(None) from None
            return jsonutils.dumps(self._serializer.serialize_entity(there, answer))

    def _received(self, context: Any, answer: Any) -> Any:
        from oslo_serialization import jsonutils

        with unseen():
            return self._serializer.deserialize_entity(context, jsonutils.loads(answer))

    # ------------------------------------------- what the world does itself

    def add_service(self, host: str) -> None:
        """The service record of a host; part of the start state."""
        from nova.objects.service import SERVICE_VERSION

        api, _ = database_layer()
        with self.elsewhere.running():
            values = {"host": host, "binary": "nova-compute", "topic": "compute", "report_count": 0}
            # What a release does for older ones beside it is decided by this.
            values["version"] = SERVICE_VERSION
            api.service_create(self._context(), {**values, "uuid": self.elsewhere.new_uuid()})

    def device_of(self, instance: str, request: str, host: str | None) -> str | None:
        """The address of the device on a host that an instance has for a request."""
        with unseen():
            found = self._database.rows(_DEVICE, instance=instance, request=request, host=host)
        return str(found[0][0]) if found else None

    def set_service_disabled(self, host: str, disabled: bool) -> None:
        """The API writes whether the scheduler may choose a host."""
        statement = "UPDATE services SET disabled = :disabled WHERE host = :host"
        with unseen():
            self._database.change(statement, disabled=disabled, host=host)

    def is_service_disabled(self, host: str) -> bool:
        """Whether it may not."""
        (found,) = self._database.rows("SELECT disabled FROM services WHERE host = :host", host=host)
        return bool(found[0])

    def add_node(self, host: str, node: str, uuid: str) -> None:
        """The record of a node, as an earlier start of the service has left it."""
        api, _ = database_layer()
        with self.elsewhere.running():
            api.compute_node_create(self._context(), bare_node(host, node, uuid))

    def _delete(self, uuid: str) -> None:
        api, _ = database_layer()
        with self.elsewhere.running():
            api.instance_destroy(self._context(), uuid)
        self._tables = None

    def _forget_flavors(self) -> None:
        from oslo_serialization import jsonutils

        waiting = self._resized_since_the_start()
        with unseen():
            extras = self._database.rows("SELECT id, instance_uuid, flavor FROM instance_extra")
            for row in (one for one in extras if one.instance_uuid in waiting):
                kept = {**jsonutils.loads(row.flavor), "old": None, "new": None}
                self._database.change(
                    "UPDATE instance_extra SET flavor = :flavor WHERE id = :id",
                    flavor=jsonutils.dumps(kept), id=row.id,
                )  # fmt: skip
        self._tables = None

    def _as_at_start(self, perform: Callable[[], Any]) -> Any:
        with unseen():
            now, start = self.snapshot(), self._start
            self.restore(start)
        try:
            return perform()
        finally:
            with unseen():
                self.restore(now)
                self._start = start

    def name_devices(self, uuids: Callable[[int], str]) -> dict[int, str]:
        """Give PCI devices other uuids, by their ids."""
        named = {row.id: uuids(row.id) for row in self._database.rows("SELECT id FROM pci_devices")}
        for number, uuid in named.items():
            self._database.change("UPDATE pci_devices SET uuid = :uuid WHERE id = :id", uuid=uuid, id=number)
        self._tables = None
        return named

    def instance_as_sent(self, context: Any, uuid: str, loaded: Sequence[str]) -> Any:
        """The primitive of an instance, with what is ``loaded`` of it."""
        from nova import objects

        with self.elsewhere.running():
            return objects.Instance.get_by_uuid(context, uuid, expected_attrs=list(loaded)).obj_to_primitive()

    def migration_as_sent(self, context: Any, number: int) -> Any:
        """The primitive of a migration, by its id."""
        from nova import objects

        with self.elsewhere.running():
            return objects.Migration.get_by_id(context, number).obj_to_primitive()

    # ---------------------------------------------------- looking at rows

    @property
    def tables(self) -> dict[str, dict[Any, Row]]:
        """Every row, also deleted ones, in the form in which objects travel."""
        if self._tables is None:
            tick = self.elsewhere.tick
            with self.elsewhere.running():
                self._tables = {
                    "instance": self._instances(),
                    "migration": self._objects("Migration", "id"),
                    "compute_node": self._objects("ComputeNode", "uuid"),
                    "pci_device": self._objects("PciDevice", "id"),
                }
            self.elsewhere.tick = tick
        return self._tables

    def _context(self) -> Any:
        from nova.context import get_admin_context

        return get_admin_context(read_deleted="yes")

    def _instances(self) -> dict[Any, Row]:
        from nova import objects

        found = {}
        for (uuid,) in self._database.rows("SELECT uuid FROM instances ORDER BY id"):
            context = self._context()
            instance = objects.Instance.get_by_uuid(context, uuid, expected_attrs=list(LOADED))
            row: Row = instance.obj_to_primitive()["nova_object.data"]
            row["_extra"] = {name: row.pop(name, None) for name in _EXTRAS}
            found[uuid] = row
        return found

    def _objects(self, name: str, key: str) -> dict[Any, Row]:
        from nova import objects

        kind = getattr(objects, name)
        _, models = database_layer()
        context = self._context()
        found = {}
        with transactions().reader.using(context):
            for one in context.session.query(getattr(models, name)).order_by("id").all():
                made = kind._from_db_object(context, kind(context), one)
                row: Row = made.obj_to_primitive()["nova_object.data"]
                found[row[key]] = row
        return found
