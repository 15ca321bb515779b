"""Remotable methods of instances, as the conductor performs them.

Two of Nova's own habits are kept on purpose, because callers see them: a save in
which no plain column is dirty returns before it looks at ``expected_task_state``;
and every object field that is set comes back as a new copy, since Nova's objects
have no equality.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from semafuzz.targets.nova.boundary.primitives import Primitive, Row, differences, has_changes, set_fields, wrap

_FLAVORS = ("flavor", "old_flavor", "new_flavor")
_EXTRAS = (
    "numa_topology", "pci_requests", "migration_context", "resources", "device_metadata", "vcpu_model",
    "trusted_certs", "keypairs", *_FLAVORS,
)  # fmt: skip
_NOT_SAVED = frozenset({"pci_devices", "tags", "services", "fault", "ec2_ids", "security_groups", "info_cache"})
_VERSIONED = ("Instance", "InstanceList", "InstanceInfoCache")
_FALSE = (
    "locked", "deleted", "cleaned", "hidden", "shutdown_terminate", "disable_terminate", "auto_disk_config",
)  # fmt: skip


class InstanceRemotables:
    """Mixed into the conductor, which has the tables and the counters."""

    tables: dict[str, dict[Any, Any]]
    next_id: Callable[[], int]
    next_uuid: Callable[[], str]
    now: Callable[[], str]
    do_PciDeviceList_get_by_instance_uuid: Callable[[Any, str], Primitive]

    def prepare_instances(self) -> None:
        """Learn the fields of this release's Instance."""
        from nova import objects
        from nova.objects import fields
        from nova.objects import instance as module

        self._versions = {name: getattr(objects, name).VERSION for name in _VERSIONED}
        # 19 and older have no resources.
        self._extras = [name for name in _EXTRAS if name in objects.Instance.fields]
        self._saves_policies = "requester_id" in objects.InstancePCIRequest.fields
        self._known = frozenset(objects.Instance.fields)
        self._columns = [name for name in objects.Instance.fields if name not in module.INSTANCE_OPTIONAL_ATTRS]
        self._objects = [name for name, kind in objects.Instance.fields.items() if isinstance(kind, fields.ObjectField)]

    def _row(self, context: Any, uuid: str) -> Row:
        from nova import exception

        row: Row | None = self.tables["instance"].get(uuid)
        if row is None or (row["deleted"] and context.read_deleted == "no"):
            raise exception.InstanceNotFound(instance_id=uuid)
        return row

    def _no_requests(self, uuid: str) -> Primitive:
        return wrap("InstancePCIRequests", "1.1", {"instance_uuid": uuid, "requests": []})

    def _info_cache(self, uuid: str) -> Primitive:
        data = {"instance_uuid": uuid, "network_info": "[]"}
        return wrap("InstanceInfoCache", self._versions["InstanceInfoCache"], data)

    def do_InstanceInfoCache_delete(self, context: Any, cache: Any) -> Row:
        """``InstanceInfoCache.delete``: up to 17 the manager calls it before it deletes the
        instance, later the database does it with the instance. Nothing of it is kept here."""
        return {"obj_what_changed": []}

    def _primitive(self, context: Any, row: Row, expected: Iterable[str] | None) -> Primitive:
        data = {name: row[name] for name in self._columns}
        extra = row["_extra"]
        for name in expected or ():
            if name in _FLAVORS:
                data.update({flavor: extra[flavor] for flavor in _FLAVORS})
            elif name in ("metadata", "system_metadata"):
                data[name] = row[name]
            elif name == "info_cache":
                data[name] = self._info_cache(row["uuid"])
            elif name == "pci_requests":
                data[name] = extra[name] or self._no_requests(row["uuid"])
            elif name == "pci_devices":
                data[name] = self.do_PciDeviceList_get_by_instance_uuid(context, row["uuid"])
            elif name in extra:
                data[name] = extra[name]
            elif name in self._known:
                raise NotImplementedError(f"the in-memory conductor cannot load instances with {name}")
        changed = [name for name, value in data.items() if has_changes(value)]
        return wrap("Instance", self._versions["Instance"], data, changed)

    def do_Instance_get_by_uuid(
        self, context: Any, uuid: str, expected_attrs: Any = None, use_slave: bool = False
    ) -> Primitive:
        """``Instance.get_by_uuid``"""
        return self._primitive(
            context, self._row(context, uuid), ["info_cache"] if expected_attrs is None else expected_attrs
        )

    def do_Instance_refresh(self, context: Any, instance: Any, use_slave: bool = False) -> Row:
        """``Instance.refresh``: what is set is loaded anew."""
        loaded = [name for name in instance.fields if name not in self._columns and instance.obj_attr_is_set(name)]
        row = self.do_Instance_get_by_uuid(context, instance.uuid, loaded)["nova_object.data"]
        names = [name for name in instance.fields if name in row and instance.obj_attr_is_set(name)]
        updates = differences(instance, row, names, {})

        return {**updates, "obj_what_changed": []}

    def do_InstanceList_get_by_host_and_node(
        self, context: Any, host: str, node: str, expected_attrs: Any = None
    ) -> Primitive:
        """``InstanceList.get_by_host_and_node``"""
        return self._list(context, {"host": [host], "node": [node]}, expected_attrs)

    def do_InstanceList_get_by_host(
        self, context: Any, host: str, expected_attrs: Any = None, use_slave: bool = False
    ) -> Primitive:
        """``InstanceList.get_by_host``, which a service asks when it starts."""
        return self._list(context, {"host": [host]}, expected_attrs)

    def do_InstanceList_get_by_filters(
        self, context: Any, filters: Any, expected_attrs: Any = None, **options: Any
    ) -> Primitive:
        """``InstanceList.get_by_filters``, as far as a compute host asks: newest first, and
        deleted ones as well, since no filter says otherwise."""
        unknown = set(filters) - {"uuid", "host", "vm_state"}
        if unknown:
            raise LookupError(f"the in-memory conductor cannot filter instances by {sorted(unknown)}")
        wanted = {name: [value] if isinstance(value, str) else value for name, value in filters.items()}
        return self._list(context, wanted, expected_attrs, newest_first=True)

    def _list(
        self, context: Any, wanted: Mapping[str, Collection[Any]], expected: Any, *, newest_first: bool = False
    ) -> Primitive:
        found = [
            self._primitive(context, row, expected)
            for row in self.tables["instance"].values()
            if (newest_first or not row["deleted"] or context.read_deleted != "no")
            and all(row[name] in values for name, values in wanted.items())
        ]
        if newest_first:
            found.reverse()
        changed = ["objects"] if any(has_changes(one) for one in found) else None
        return wrap("InstanceList", self._versions["InstanceList"], {"objects": found}, changed)

    def do_InstanceList_get_uuids_by_host_and_node(self, context: Any, host: str, node: str) -> list[list[str]]:
        """``InstanceList.get_uuids_by_host_and_node``: rows of one column, which RPC makes lists of one uuid."""
        rows = self.tables["instance"].values()
        return [[row["uuid"]] for row in rows if (row["host"], row["node"]) == (host, node) and not row["deleted"]]

    def do_Instance_create(self, context: Any, instance: Any) -> Row:
        """``Instance.create``"""
        changes = instance.obj_get_changes()
        row: Row = dict.fromkeys(self._columns)
        row.update(dict.fromkeys((name for name in _FALSE if name in self._known), False))
        row.update(set_fields(instance, [name for name in changes if name in self._columns]))
        row["id"], row["created_at"] = self.next_id(), self.now()
        row["uuid"] = row["uuid"] or self.next_uuid()
        row["metadata"] = dict(changes.get("metadata", {}))
        row["system_metadata"] = dict(changes.get("system_metadata", {}))
        extra: Row = dict.fromkeys(self._extras)
        for name in self._extras:
            if changes.get(name) is not None:
                extra[name] = self._stored(name, changes[name].obj_to_primitive())
        row["_extra"] = extra
        self.tables["instance"][row["uuid"]] = row
        updates = differences(instance, row, self._columns, {})
        for name in self._extras:
            if name != "pci_requests" and (extra[name] is not None or not instance.obj_attr_is_set(name)):
                updates[name] = extra[name]
        updates["pci_requests"] = extra["pci_requests"] or self._no_requests(row["uuid"])
        updates.pop("keypairs", None)
        updates["obj_what_changed"] = [name for name, value in updates.items() if has_changes(value)]
        return updates

    def _stored(self, name: str, primitive: Primitive) -> Primitive:
        """What of an object field reaches its column."""
        data = primitive["nova_object.data"]
        if name in _FLAVORS and data.get("description") is not None:
            return {**primitive, "nova_object.data": {**data, "description": None}}
        if name == "pci_requests":
            requests = [
                wrap("InstancePCIRequest", one["nova_object.version"], self._stored_request(one["nova_object.data"]))
                for one in data["requests"]
            ]
            return wrap("InstancePCIRequests", primitive["nova_object.version"], {**data, "requests": requests})
        return primitive

    def _stored_request(self, data: Row) -> Row:
        # 18 and older forget the policy.
        lost = () if self._saves_policies else ("numa_policy",)
        return {"is_new": False, **{name: value for name, value in data.items() if name not in lost}}

    def do_Instance_save(
        self,
        context: Any,
        instance: Any,
        expected_vm_state: Any = None,
        expected_task_state: Any = None,
        admin_state_reset: bool = False,
    ) -> Row:
        """``Instance.save``"""
        from nova import exception

        changes = instance.obj_what_changed()
        if "node" in changes and "compute_id" in instance.fields and "compute_id" not in changes:
            raise exception.ObjectActionError(
                f"Instance.node is being updated ({instance.node!r}) but compute_id is not"
            )
        extra, sent, unsaved = self._changed_extras(instance, changes)
        row: Row | None = self.tables["instance"].get(instance.uuid)
        alive = row is not None and (not row["deleted"] or context.read_deleted != "no")
        if extra and row is not None and alive:
            row["_extra"] = {**row["_extra"], **extra}
        updates = dict(sent)
        nested = [name for name, primitive in sent.items() if has_changes(primitive)]
        columns = [name for name in changes if name in instance.fields and name not in self._objects]
        if not columns:
            updates["obj_what_changed"] = sorted(unsaved.union(nested))
            return updates
        if row is None or not alive:
            raise exception.InstanceNotFound(instance_id=instance.uuid)
        _check_expected(row, expected_vm_state, expected_task_state)
        row.update(set_fields(instance, columns))
        differences(instance, row, self._columns, updates)
        # The answer carries the time stamp of the save before this one.
        row["updated_at"] = self.now()
        for name in ("system_metadata", "metadata"):
            if instance.obj_attr_is_set(name):
                if getattr(instance, name) != row[name]:
                    updates[name] = row[name]
            elif name == "system_metadata":
                updates[name] = row[name]
        updates["obj_what_changed"] = nested
        return updates

    def _changed_extras(self, instance: Any, changes: set[str]) -> tuple[Row, Row, set[str]]:
        """``(to store, object fields as they travel back, what stays dirty)``"""
        extra: Row = {}
        sent: Row = {}
        unsaved = set(changes)
        for name in self._objects:
            if not instance.obj_attr_is_set(name):
                continue
            value = getattr(instance, name)
            primitive = None if value is None else value.obj_to_primitive()
            if primitive is not None:
                sent[name] = primitive
            if name in _NOT_SAVED:
                continue
            if name in _FLAVORS:
                if name in changes:
                    for flavor in _FLAVORS:
                        other = getattr(instance, flavor)
                        extra[flavor] = None if other is None else self._stored(flavor, other.obj_to_primitive())
                        unsaved.discard(flavor)
            elif name == "pci_requests":
                if primitive is not None:
                    extra[name] = self._stored(name, primitive)
                elif name in changes:
                    extra[name] = None
            elif name in changes:
                extra[name] = primitive
        return extra, sent, unsaved

    def do_Instance_destroy(self, context: Any, instance: Any, hard_delete: bool = False) -> Row:
        """``Instance.destroy``"""
        from nova import exception

        row = self._row(context, instance.uuid)
        host_known = instance.obj_attr_is_set("host") and instance.host
        if not host_known and row["host"] is not None:
            raise exception.ObjectActionError(action="destroy", reason="host changed")
        self.mark_deleted(row)
        updates = differences(instance, row, [name for name in self._columns if name != "id"], {})
        self._send_objects_back(instance, updates)
        return updates

    def mark_deleted(self, row: Row) -> None:
        """Delete an instance with its migrations, as the database does."""
        row["deleted"], row["deleted_at"] = True, self.now()
        for migration in self.tables["migration"].values():
            if migration["instance_uuid"] == row["uuid"] and not migration["deleted"]:
                migration["deleted"], migration["deleted_at"] = True, row["deleted_at"]

    def _send_objects_back(self, instance: Any, updates: Row) -> None:
        nested = []
        for name in self._objects:
            if instance.obj_attr_is_set(name) and getattr(instance, name) is not None:
                primitive = updates[name] = getattr(instance, name).obj_to_primitive()
                if has_changes(primitive):
                    nested.append(name)
        updates["obj_what_changed"] = nested

    def do_Instance_drop_migration_context(self, context: Any, instance: Any) -> Row:
        """``Instance.drop_migration_context``"""
        changed = set(instance.obj_what_changed())
        updates: Row = {}
        self._send_objects_back(instance, updates)
        if instance.migration_context:
            row = self.tables["instance"].get(instance.uuid)
            if row is not None and (not row["deleted"] or context.read_deleted != "no"):
                row["_extra"] = {**row["_extra"], "migration_context": None}
            updates["migration_context"] = None
            changed.add("migration_context")
        updates["obj_what_changed"] = sorted(changed)
        return updates

    def _extra_of(self, context: Any, uuid: str, name: str, missing: str = "") -> Any:
        """An object column. Where the instance was deleted, its columns were with it:
        then the exception ``missing`` of Nova, or None."""
        from nova import exception

        row = self.tables["instance"].get(uuid)
        if row is not None and (not row["deleted"] or context.read_deleted != "no"):
            return row["_extra"][name]
        if missing:
            raise getattr(exception, missing)(instance_uuid=uuid)
        return None

    def do_MigrationContext_get_by_instance_uuid(self, context: Any, uuid: str) -> Any:
        """A lazy load of ``instance.migration_context``."""
        return self._extra_of(context, uuid, "migration_context", "MigrationContextNotFound")

    def do_InstanceNUMATopology_get_by_instance_uuid(self, context: Any, uuid: str) -> Any:
        """A lazy load of ``instance.numa_topology``."""
        return self._extra_of(context, uuid, "numa_topology", "NumaTopologyNotFound")

    def do_ResourceList_get_by_instance_uuid(self, context: Any, uuid: str) -> Any:
        """A lazy load of ``instance.resources``."""
        return self._extra_of(context, uuid, "resources")

    def do_InstancePCIRequests_get_by_instance_uuid(self, context: Any, uuid: str) -> Any:
        """A lazy load of ``instance.pci_requests``."""
        return self._extra_of(context, uuid, "pci_requests") or self._no_requests(uuid)


def _check_expected(row: Row, vm_state: Any, task_state: Any) -> None:
    """Refuse a save that expects another state, with Nova's own exceptions."""
    from nova import exception

    expected: Row = {}
    actual: Row = {}
    for name, wanted in (("task_state", task_state), ("vm_state", vm_state)):
        if wanted is None:
            continue
        allowed = list(wanted) if isinstance(wanted, (list, tuple, set)) else [wanted]
        if row[name] not in allowed:
            expected[name], actual[name] = allowed, row[name]
    if not expected:
        return
    kind = exception.UnknownInstanceUpdateConflict
    if "task_state" in expected:
        deleting = actual["task_state"] == "deleting"
        kind = exception.UnexpectedDeletingTaskStateError if deleting else exception.UnexpectedTaskStateError
    raise kind(instance_uuid=row["uuid"], expected=expected, actual=actual)
