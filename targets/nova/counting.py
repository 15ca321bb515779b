"""What belongs to the node, computed from the rows alone: the rules of an audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from targets.nova.conductor_records import FINAL_STATUSES
from targets.nova.world import HOST, NODE, World


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold. ``name`` identifies it, ``text`` has the values."""

    name: str
    text: str


def counted(world: World) -> tuple[dict[str, Any], list[Any]]:
    """Instances and incoming or outgoing migrations that belong to the node."""
    instances = {
        row["uuid"]: row
        for row in world.conductor.rows("instance")
        if row["host"] == HOST and row["node"] == NODE and row["vm_state"] != "deleted"
    }
    migrations = []
    for row in world.conductor.rows("migration"):
        if row["status"] is None or row["status"] in FINAL_STATUSES or row["instance_uuid"] in instances:
            continue
        if HOST in (row["source_compute"], row["dest_compute"]) and _is_moving(world, row):
            migrations.append(row)
    return instances, migrations


def _is_moving(world: World, migration: Any) -> bool:
    """Whether the instance is in the midst of this migration, as the audit sees it."""
    row = world.conductor.tables["instance"].get(migration["instance_uuid"])
    if row is None or row["deleted"]:
        return False
    resizing = row["vm_state"] == "resized" or (
        row["vm_state"] in ("active", "stopped")
        and row["task_state"] in ("resize_prep", "resize_migrating", "resize_migrated", "resize_finish")
    )
    context = row["_extra"]["migration_context"]
    matches = context is not None and context["nova_object.data"]["migration_id"] == migration["id"]
    return resizing and matches


def is_incoming(migration: Any) -> bool:
    """Whether the migration comes to the node, rather than leaves it."""
    return bool(migration["dest_compute"] == HOST)


def extra_of(world: World, migration: Any) -> Any:
    """The object columns of a migration's instance."""
    return world.conductor.tables["instance"][migration["instance_uuid"]]["_extra"]


def flavors(world: World) -> list[Any]:
    """The flavors that count, as dictionaries: of instances, and of migrations the new
    one where they come and the old one where they leave."""
    instances, migrations = counted(world)
    found = [row["_extra"]["flavor"] for row in instances.values()]
    for row in migrations:
        found.append(extra_of(world, row)["new_flavor" if is_incoming(row) else "old_flavor"])
    return [flavor["nova_object.data"] for flavor in found if flavor is not None]


def topologies(world: World) -> list[Any]:
    """The NUMA topologies that count, likewise; primitives or None."""
    instances, migrations = counted(world)
    found = [row["_extra"]["numa_topology"] for row in instances.values()]
    for row in migrations:
        context = extra_of(world, row)["migration_context"]["nova_object.data"]
        found.append(context["new_numa_topology" if is_incoming(row) else "old_numa_topology"])
    return found
