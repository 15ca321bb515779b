"""Expected claims of a node, computed from the rows alone: the rules of an audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semafuzz.targets.nova.in_memory.conductor_records import FINAL_STATUSES
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.world import World

MOVING_TASKS = ("resize_prep", "resize_migrating", "resize_migrated", "resize_finish")
REBUILDING_TASKS = ("rebuilding", "rebuild_block_device_mapping", "rebuild_spawning")


@dataclass(frozen=True, slots=True)
class Share:
    """What a pending migration holds on a node: the ``new_`` or the ``old_`` ``side`` of
    its instance."""

    migration: Any
    instance: Any
    side: str

    @property
    def uuid(self) -> str:
        """That of the instance."""
        return str(self.instance["uuid"])

    @property
    def flavor(self) -> Any:
        """The flavor that counts: only resizes change it."""
        extra = self.instance["_extra"]
        return extra[f"{self.side}_flavor" if self.migration["migration_type"] == "resize" else "flavor"]

    @property
    def has_context(self) -> bool:
        """Whether its instance has a migration context. One that was dropped before its migration ended has none; an
        audit still counts the flavor."""
        return self.instance["_extra"]["migration_context"] is not None

    def of_context(self, name: str) -> Any:
        """``numa_topology`` or ``pci_requests`` of this side of the migration context, None without one."""
        context = self.instance["_extra"]["migration_context"]
        return None if context is None else context["nova_object.data"].get(f"{self.side}_{name}")


def counted(world: World, place: Place = HERE) -> tuple[dict[str, Any], list[Share]]:
    """Instances of a node, and what incoming or outgoing migrations hold on it besides."""
    instances = {
        row["uuid"]: row
        for row in world.conductor.rows("instance")
        if (row["host"], row["node"]) == place and not _holds_nothing(row)
    }
    shares = []
    latest: dict[str, Share] = {}
    for share in _pending(world, place):
        # What nobody knows the size of, nobody can count.
        if (share.uuid not in instances or _stays(share.migration)) and share.flavor is not None:
            if share.has_context:
                shares.append(share)
            elif share.uuid not in latest or _last_written(share.migration) > _last_written(
                latest[share.uuid].migration
            ):
                latest[share.uuid] = share
    return instances, shares + list(latest.values())


def of_unknown_size(world: World, place: Place = HERE) -> set[str]:
    """The uuids of instances with a pending migration on a node that nobody knows the flavor of: it is not counted, and
    what they hold there may stay with them."""
    return {share.uuid for share in _pending(world, place) if share.flavor is None}


def _pending(world: World, place: Place) -> Iterator[Share]:
    """What the migrations hold on a node that an audit of it asks for."""
    ended = FINAL_STATUSES if _asks_for_failed_migrations() else FINAL_STATUSES | {"error"}
    for row in world.conductor.rows("migration"):
        if row["status"] is None or row["status"] in ended:
            continue
        instance = world.conductor.tables["instance"].get(row["instance_uuid"])
        if instance is None or instance["deleted"] or not _is_moving(instance, row):
            continue
        side = _side(row, instance, place)
        if side:
            yield Share(row, instance, side)


def _last_written(migration: Any) -> Any:
    """When: of several migrations of an instance without a context, an audit counts the last."""
    return migration["updated_at"] or migration["created_at"]


def _holds_nothing(instance: Any) -> bool:
    """Whether an instance that is on the node by its row holds nothing of it: deleted, or offloaded, where a save
    failed. In newer releases it holds what it gets while it is unshelved."""
    from nova.compute import vm_states

    if instance["vm_state"] != "shelved_offloaded":
        return bool(instance["vm_state"] == "deleted")
    return not hasattr(vm_states, "allow_resource_removal") or instance["task_state"] != "spawning"


def _asks_for_failed_migrations() -> bool:
    """Whether an audit counts migrations that ended in an error: those of newer releases do."""
    from nova import objects

    return hasattr(objects.MigrationList, "get_in_progress_and_error")


def _counts_live_migrations() -> bool:
    """Whether an audit counts live migrations: from the release on that claims at their destination."""
    from nova.compute import resource_tracker

    return hasattr(resource_tracker, "_instance_is_live_migrating")


def _stays(migration: Any) -> bool:
    """Whether it is a resize on one node."""
    return bool(
        migration["source_compute"] == migration["dest_compute"] and migration["source_node"] == migration["dest_node"]
    )


def _side(migration: Any, instance: Any, place: Place) -> str:
    """Which side of the instance is on the node by this migration, "" for none. On one
    node, it is the one that the instance does not have at the moment."""
    incoming = (migration["dest_compute"], migration["dest_node"]) == place
    outgoing = (migration["source_compute"], migration["source_node"]) == place
    if incoming and outgoing:
        return "new" if instance["instance_type_id"] == migration["old_instance_type_id"] else "old"
    return "new" if incoming else "old" if outgoing else ""


def _is_moving(instance: Any, migration: Any) -> bool:
    """Whether the instance is in the midst of this migration, as the audit sees it: one whose context is gone is in
    the midst of any."""
    state, task = instance["vm_state"], instance["task_state"]
    changing = state == "resized" or (state in ("active", "stopped") and task in (*MOVING_TASKS, *REBUILDING_TASKS))
    live = _counts_live_migrations() and state in ("active", "paused") and task == "migrating"
    context = instance["_extra"]["migration_context"]
    matches = context is None or context["nova_object.data"]["migration_id"] == migration["id"]
    return (changing or live) and matches


def flavors(world: World, place: Place = HERE) -> list[Any]:
    """The flavors that count, as dictionaries: of instances and of pending migrations."""
    instances, shares = counted(world, place)
    found = [row["_extra"]["flavor"] for row in instances.values()] + [share.flavor for share in shares]
    return [flavor["nova_object.data"] for flavor in found if flavor is not None]


def topologies(world: World, place: Place = HERE) -> list[Any]:
    """The NUMA topologies that count, likewise; primitives or None."""
    instances, shares = counted(world, place)
    own = [row["_extra"]["numa_topology"] for row in instances.values()]
    return own + [share.of_context("numa_topology") for share in shares]
