"""The role that an instance has by its rows, whatever was done to it."""

from __future__ import annotations

from semafuzz.targets.nova.world.names import EXTRA, HERE, OTHER
from semafuzz.targets.nova.world.world import World

_MOVED = {
    (HERE.host, OTHER.host): "leaving",
    (OTHER.host, HERE.host): "arrived",
    (HERE.host, HERE.host): "resized",
}
"""By where a resize that waits to be confirmed or reverted came from and went to."""


def role_of(world: World, number: int) -> str:
    """The role of an instance at rest; "" where it is not: somebody has to end what is under way, or nothing can be
    done with it but to delete it."""
    row = world.conductor.tables["instance"].get(world.uuid(number))
    if row is None or row["deleted"] or row["task_state"] is not None:
        return ""
    if row["vm_state"] == "active" and row["node"] == EXTRA.node:
        return "extra"
    if row["vm_state"] == "active":
        return {HERE.host: "active", OTHER.host: "there"}.get(row["host"], "")
    if row["vm_state"] == "shelved_offloaded":
        return "shelved"
    if row["vm_state"] != "resized":
        return ""
    moves = [one for one in world.conductor.rows("migration") if one["instance_uuid"] == row["uuid"]]
    if not moves or moves[-1]["status"] != "finished":
        return ""
    return _MOVED.get((moves[-1]["source_compute"], moves[-1]["dest_compute"]), "")


def can_be_deleted(world: World, number: int) -> bool:
    """Whether an instance is on the first host, in whatever state: the API then deletes it there."""
    row = world.conductor.tables["instance"].get(world.uuid(number))
    return row is not None and not row["deleted"] and row["host"] == HERE.host
