"""Remotable methods of migrations, compute nodes, services and the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from semafuzz.targets.nova.boundary.primitives import (
    Primitive,
    Row,
    bare_node,
    differences,
    has_changes,
    set_fields,
    wrap,
)

FINAL_STATUSES = frozenset({"confirmed", "reverted", "failed", "completed", "cancelled", "done"})
"""Statuses under which the tracker does not ask for a migration any more."""
_RATIOS = {"cpu_allocation_ratio": 16.0, "ram_allocation_ratio": 1.5, "disk_allocation_ratio": 1.0}
"""What Nova takes for a ratio that nothing sets."""


class RecordRemotables:
    """Mixed into the conductor, which has the tables and the counters."""

    tables: dict[str, dict[Any, Any]]
    next_id: Callable[[], int]
    next_uuid: Callable[[], str]
    now: Callable[[], str]

    # ------------------------------------------------------- migrations

    def do_Migration_create(self, context: Any, migration: Any) -> Row:
        """``Migration.create``"""
        from nova import exception

        names = list(migration.fields)
        changed = migration.obj_what_changed()
        if "migration_type" not in changed:
            raise exception.ObjectActionError(action="create", reason="no migration_type")
        if "dest_node" in changed and "dest_compute_id" in migration.fields and "dest_compute_id" not in changed:
            raise exception.ObjectActionError(action="create", reason="no dest_compute_id")
        row: Row = dict.fromkeys(names)
        implied = {"hidden": False, "cross_cell_move": False, "deleted": False}
        implied |= {"user_id": context.user_id, "project_id": context.project_id}
        row.update({name: value for name, value in implied.items() if name in row})
        row.update(set_fields(migration, changed))
        row["id"], row["created_at"] = self.next_id(), self.now()
        if "uuid" in migration.fields:
            # 17 and newer.
            row["uuid"] = row["uuid"] or self.next_uuid()
        self.tables["migration"][row["id"]] = row
        return {**differences(migration, row, names, {}), "obj_what_changed": []}

    def do_Migration_save(self, context: Any, migration: Any) -> Row:
        """``Migration.save``"""
        from nova import exception

        row = self.tables["migration"].get(migration.id)
        # Nova reads and writes migrations whether they are deleted or not.
        if row is None:
            raise exception.MigrationNotFound(migration_id=migration.id)
        changes = set_fields(migration, migration.obj_what_changed())
        changes.pop("id", None)
        row.update(changes)
        row["updated_at"] = self.now()
        return {**differences(migration, row, migration.fields, {}), "obj_what_changed": []}

    def _migration(self, row: Row) -> Primitive:
        from nova import objects

        return wrap("Migration", objects.Migration.VERSION, row)

    def do_Migration_get_by_uuid(self, context: Any, uuid: str) -> Primitive:
        """``Migration.get_by_uuid``"""
        from nova import exception

        for row in self.tables["migration"].values():
            if row["uuid"] == uuid:
                return self._migration(row)
        raise exception.MigrationNotFound(migration_id=uuid)

    def do_Migration_get_by_id(self, context: Any, migration_id: int) -> Primitive:
        """``Migration.get_by_id``"""
        from nova import exception

        row = self.tables["migration"].get(migration_id)
        if row is None:
            raise exception.MigrationNotFound(migration_id=migration_id)
        return self._migration(row)

    def do_Migration_get_by_id_and_instance(self, context: Any, migration_id: int, instance_uuid: str) -> Primitive:
        """``Migration.get_by_id_and_instance``"""
        return self._one(id=migration_id, instance_uuid=instance_uuid)

    def do_Migration_get_by_instance_and_status(self, context: Any, instance_uuid: str, status: str) -> Primitive:
        """``Migration.get_by_instance_and_status``"""
        return self._one(instance_uuid=instance_uuid, status=status)

    def _one(self, **wanted: Any) -> Primitive:
        from nova import exception

        for row in self.tables["migration"].values():
            if not row["deleted"] and all(row[name] == value for name, value in wanted.items()):
                return self._migration(row)
        if "status" in wanted:
            raise exception.MigrationNotFoundByStatus(instance_id=wanted["instance_uuid"], status=wanted["status"])
        raise exception.MigrationNotFoundForInstance(migration_id=wanted["id"], instance_id=wanted["instance_uuid"])

    def do_MigrationList_get_in_progress_by_host_and_node(self, context: Any, host: str, node: str) -> Primitive:
        """``MigrationList.get_in_progress_by_host_and_node``, which the tracker asks up to 21."""
        from nova import objects
        from nova.compute.resource_tracker import ResourceTracker

        ended = FINAL_STATUSES | {"error"}
        if not hasattr(ResourceTracker, "live_migration_claim"):
            # 19 and older.
            ended |= {"accepted"}
        if "uuid" not in objects.Migration.fields:
            # 16 goes on asking for an evacuation that is over.
            ended -= {"done"}
        return self._in_progress(host, node, ended)

    def do_MigrationList_get_by_filters(self, context: Any, filters: Any) -> Primitive:
        """``MigrationList.get_by_filters``, as far as a compute host asks."""
        from nova import objects

        wanted = {name: value if isinstance(value, list) else [value] for name, value in filters.items()}
        unknown = set(wanted) - {"status", "source_compute", "migration_type", "instance_uuid"}
        if unknown:
            raise LookupError(f"the in-memory conductor cannot filter migrations by {sorted(unknown)}")
        found = [
            self._migration(row)
            for row in self.tables["migration"].values()
            if not row["deleted"] and all(row[name] in values for name, values in wanted.items())
        ]
        return wrap("MigrationList", objects.MigrationList.VERSION, {"objects": found})

    def do_MigrationList_get_in_progress_and_error(self, context: Any, host: str, node: str) -> Primitive:
        """``MigrationList.get_in_progress_and_error``"""
        return self._in_progress(host, node, FINAL_STATUSES)

    def _in_progress(self, host: str, node: str, ended: frozenset[str]) -> Primitive:
        from nova import objects

        found = [
            self._migration(row)
            for row in self.tables["migration"].values()
            if not row["deleted"]
            and row["status"] is not None
            and row["status"] not in ended
            and (
                (row["source_compute"] == host and row["source_node"] == node)
                or (row["dest_compute"] == host and row["dest_node"] == node)
            )
        ]
        return wrap("MigrationList", objects.MigrationList.VERSION, {"objects": found})

    # ---------------------------------------------------- compute nodes

    def do_ComputeNode_get_by_uuid(self, context: Any, uuid: str) -> Primitive:
        """``ComputeNode.get_by_uuid``"""
        from nova import exception, objects

        row = self.tables["compute_node"].get(uuid)
        if row is None or (row["deleted"] and context.read_deleted == "no"):
            raise exception.ComputeHostNotFound(host=uuid)
        changed = ["pci_device_pools"] if has_changes(row["pci_device_pools"]) else None
        return wrap("ComputeNode", objects.ComputeNode.VERSION, self._with_ratios(row), changed)

    def do_ComputeNode_get_by_host_and_nodename(self, context: Any, host: str, nodename: str) -> Primitive:
        """``ComputeNode.get_by_host_and_nodename``, which the tracker asks up to 26."""
        from nova import exception

        rows = self.tables["compute_node"].values()
        found = [
            row["uuid"]
            for row in rows
            if (row["host"], row["hypervisor_hostname"]) == (host, nodename) and not row["deleted"]
        ]
        if not found:
            raise exception.ComputeHostNotFound(host=host)
        return self.do_ComputeNode_get_by_uuid(context, found[0])

    def add_node(self, host: str, node: str, uuid: str) -> None:
        """The record of a node, as an earlier start of the service has left it."""
        from nova import objects

        row: Row = dict.fromkeys(objects.ComputeNode.fields) | bare_node(host, node, uuid)
        row |= {"id": self.next_id(), "created_at": self.now(), "deleted": False, "mapped": 0}
        row |= {"supported_hv_specs": []}
        self.tables["compute_node"][uuid] = row

    def do_ComputeNode_get_first_node_by_host_for_old_compat(
        self, context: Any, host: str, use_slave: bool = False
    ) -> Primitive:
        """``ComputeNode.get_first_node_by_host_for_old_compat``"""
        found = self._nodes_of(context, host)
        return self.do_ComputeNode_get_by_uuid(context, found[0]["uuid"])

    def do_ComputeNodeList_get_all_by_host(self, context: Any, host: str, use_slave: bool = False) -> Primitive:
        """``ComputeNodeList.get_all_by_host``"""
        from nova import objects

        rows = self._nodes_of(context, host)
        nodes = [self.do_ComputeNode_get_by_uuid(context, row["uuid"]) for row in rows]
        return wrap("ComputeNodeList", objects.ComputeNodeList.VERSION, {"objects": nodes})

    def do_ComputeNodeList_get_all_by_uuids(self, context: Any, compute_uuids: Any) -> Primitive:
        """``ComputeNodeList.get_all_by_uuids``, which a service asks when it starts."""
        from nova import objects

        rows = [row for row in self.tables["compute_node"].values() if row["uuid"] in compute_uuids]
        seen = [row for row in rows if not row["deleted"] or context.read_deleted != "no"]
        nodes = [self.do_ComputeNode_get_by_uuid(context, row["uuid"]) for row in seen]
        return wrap("ComputeNodeList", objects.ComputeNodeList.VERSION, {"objects": nodes})

    def _nodes_of(self, context: Any, host: str) -> list[Row]:
        from nova import exception

        rows = self.tables["compute_node"].values()
        found = [row for row in rows if row["host"] == host and (not row["deleted"] or context.read_deleted != "no")]
        if not found:
            raise exception.ComputeHostNotFound(host=host)
        return found

    def _with_ratios(self, row: Row) -> Row:
        """An allocation ratio that is not set is taken from the conductor's own options
        as the row is read, and saved."""
        from nova.conf import CONF

        for name, implied in _RATIOS.items():
            if row[name] in (None, 0.0):
                # 18 and older have no options for it.
                row[name] = getattr(CONF, name) or getattr(CONF, f"initial_{name}", implied)
        return row

    def _node_answer(self, node: Any, row: Row) -> Row:
        names = [name for name in node.fields if name not in ("pci_device_pools", "supported_hv_specs")]
        updates = differences(node, row, names, {})
        pools = row["pci_device_pools"]
        if pools is not None or not node.obj_attr_is_set("pci_device_pools") or node.pci_device_pools is not None:
            updates["pci_device_pools"] = pools
        updates["supported_hv_specs"] = row["supported_hv_specs"] or []
        updates["obj_what_changed"] = ["pci_device_pools"] if has_changes(pools) else []
        return updates

    def do_ComputeNode_create(self, context: Any, node: Any) -> Row:
        """``ComputeNode.create``"""
        row: Row = dict.fromkeys(node.fields)
        row.update(set_fields(node, node.obj_what_changed()))
        row.update(deleted=False, mapped=0)
        row["uuid"] = row["uuid"] or self.next_uuid()
        if row["uuid"] in self.tables["compute_node"]:
            raise _duplicate(f"compute node {row['hypervisor_hostname']}:{row['uuid']}")
        row["id"], row["created_at"] = self.next_id(), self.now()
        self.tables["compute_node"][row["uuid"]] = row
        return self._node_answer(node, self._with_ratios(row))

    def do_ComputeNode_save(self, context: Any, node: Any, prune_stats: bool = False) -> Row:
        """``ComputeNode.save``"""
        from nova import exception

        row = self.tables["compute_node"].get(node.uuid)
        if row is None or (row["deleted"] and context.read_deleted == "no"):
            raise exception.ComputeHostNotFound(host=node.id)
        changes = set_fields(node, node.obj_what_changed())
        changes.pop("id", None)
        row.update(changes)
        row["updated_at"] = self.now()
        return self._node_answer(node, self._with_ratios(row))

    def do_ComputeNode_destroy(self, context: Any, node: Any) -> Row:
        """``ComputeNode.destroy``"""
        from nova import exception

        row = self.tables["compute_node"].get(node.uuid)
        if row is None or row["deleted"]:
            raise exception.ComputeHostNotFound(host=node.id)
        if node.host and row["host"] != node.host:
            raise exception.ObjectActionError(action="destroy", reason="host changed")
        row["deleted"], row["deleted_at"] = True, self.now()
        return {"obj_what_changed": sorted(node.obj_what_changed())}

    # ---------------------------------------------------------- the rest

    def add_service(self, host: str) -> None:
        """The service record of a host; part of the start state."""
        from nova import objects

        self.tables["service"][host] = {
            "id": self.next_id(),
            "uuid": self.next_uuid(),
            "host": host,
            "binary": "nova-compute",
            "topic": "compute",
            "report_count": 0,
            "disabled": False,
            "disabled_reason": None,
            "last_seen_up": None,
            "forced_down": False,
            "version": objects.Service().version,
            "created_at": self.now(),
            "updated_at": None,
            "deleted_at": None,
            "deleted": False,
        }

    def device_of(self, instance: str, request: str, host: str | None) -> str | None:
        """The address of the device on a host that an instance has for a request."""
        nodes = {row["id"] for row in self.tables["compute_node"].values() if row["host"] == host}
        for row in self.tables["pci_device"].values():
            if (row["instance_uuid"], row["request_id"]) == (instance, request) and row["compute_node_id"] in nodes:
                return str(row["address"])
        return None

    def set_service_disabled(self, host: str, disabled: bool) -> None:
        """The API writes whether the scheduler may choose a host."""
        self.tables["service"][host]["disabled"] = disabled

    def is_service_disabled(self, host: str) -> bool:
        """Whether it may not."""
        return bool(self.tables["service"][host]["disabled"])

    def do_Service_get_by_compute_host(self, context: Any, host: str, use_slave: bool = False) -> Primitive:
        """``Service.get_by_compute_host``"""
        from nova import exception, objects

        row = self.tables["service"].get(host)
        if row is None:
            raise exception.ComputeHostNotFound(host=host)
        return wrap("Service", objects.Service.VERSION, row)

    def do_Service_get_minimum_version(self, context: Any, binary: str, use_slave: bool = False) -> int:
        """``Service.get_minimum_version``: both hosts are of one release."""
        return min(int(row["version"]) for row in self.tables["service"].values())

    def do_ShareMappingList_get_by_instance_uuid(self, context: Any, instance_uuid: str) -> Primitive:
        """No shares: 30 and newer ask for them when an instance is shut down."""
        from nova.objects import share_mapping

        return wrap("ShareMappingList", share_mapping.ShareMappingList.VERSION, {"objects": []})

    def do_BlockDeviceMappingList_get_by_instance_uuid(
        self, context: Any, instance_uuid: str, use_slave: bool = False
    ) -> Primitive:
        """No block devices: every instance has local disks."""
        from nova import objects

        return wrap("BlockDeviceMappingList", objects.BlockDeviceMappingList.VERSION, {"objects": []})


def _duplicate(what: str) -> Exception:
    """What the database layer raises for a row that is there: in older releases what the database does."""
    from nova import exception

    if hasattr(exception, "DuplicateRecord"):
        return exception.DuplicateRecord(target=what)  # type: ignore[no-any-return]
    from oslo_db.exception import DBDuplicateEntry  # type: ignore[import-untyped]

    return DBDuplicateEntry()  # type: ignore[no-any-return]
