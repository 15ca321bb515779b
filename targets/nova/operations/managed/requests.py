"""Requests: what the API, the conductor and the scheduler do before a compute host is asked.

Each happens at once (``boundary.done_elsewhere``): these are other services, whose own
races and failures are not looked at here.
"""

from __future__ import annotations

from typing import Any

from semafuzz.targets.nova.boundary.calls import done_elsewhere
from semafuzz.targets.nova.world.flavors import FLAVORS
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.world import World


def start_move(world: World, number: int, destination: Place, kind: str, *, doubled: bool = False) -> Any:
    """A move that the API has accepted and the scheduler has found a place for: ``kind``
    is ``resize``, ``live-migration`` or ``evacuation``. Gives the migration; None for a
    resize in 16, where the compute host makes it.

    The allocation goes over to the migration and the instance gets one for the
    destination; one that is evacuated holds both. ``doubled``: as conductors before 17 did
    it, the instance holds both in any move. Raises ComputeResourcesUnavailable where
    placement has no room, and where a host is down, since instances are evacuated from it: then nothing moves.
    """
    from nova import exception, objects

    with done_elsewhere():
        context = world.context()
        instance = world.instance(number, context)
        if kind == "evacuation":
            world.down.add(instance.host)
        elif {instance.host, destination.host} & world.down:
            raise exception.ComputeResourcesUnavailable(reason="a host that is down neither gives nor takes")
        old = int(instance.flavor.id)
        new = FLAVORS[old].larger if kind == "resize" else old
        task = {"resize": "resize_prep", "live-migration": "migrating", "evacuation": "rebuilding"}[kind]
        instance.task_state = task
        instance.save(expected_task_state=[None])
        source = instance.node
        migration = objects.Migration(
            context=context, source_compute=instance.host, source_node=instance.node, old_instance_type_id=old,
            new_instance_type_id=new, instance_uuid=instance.uuid, migration_type=kind,
            status="pre-migrating" if kind == "resize" else "accepted",
        )  # fmt: skip
        held_by_migration = "uuid" in migration.fields
        if kind == "evacuation":
            migration.dest_compute = destination.host
        if kind == "resize" and not held_by_migration:
            migration = None
        else:
            migration.create()
        try:
            if doubled or kind == "evacuation" or not held_by_migration:
                world.allocate_on(instance.uuid, [(source, old), (destination.node, new)])
            else:
                world.deallocate(instance.uuid)
                world.allocate(migration.uuid, source, old)
                world.allocate(instance.uuid, destination.node, new)
        except exception.ComputeResourcesUnavailable:
            give_up_move(world, number, migration)
            raise
        return migration


def give_up_move(world: World, number: int, migration: Any) -> None:
    """The conductor finds no destination: allocations go back, the task ends."""
    from nova import exception

    with done_elsewhere():
        context = world.context()
        try:
            instance = world.instance(number, context)
        except exception.InstanceNotFound:
            return
        world.deallocate(instance.uuid)
        if migration is not None:
            if "uuid" in migration.fields:
                world.deallocate(migration.uuid)
            migration.status = "error"
            migration.save()
        world.allocate(instance.uuid, instance.node, instance.flavor.id)
        instance.task_state = None
        instance.save()


class MoveEndedError(Exception):
    """A move has ended without moving: it was called off, or what it needed was not there. Whoever asked is told by
    the state of the migration."""


def check_moved(world: World, number: int) -> None:
    """Raise MoveEndedError where the newest migration of an instance has come to nothing."""
    with done_elsewhere():
        status = world.migration_of(number, world.context()).status
    if status in ("cancelled", "error", "failed"):
        raise MoveEndedError(f"the migration is {status}")


def end_resize(world: World, number: int, *, confirm: bool, again: bool = False) -> tuple[Any, Any]:
    """What the API does when a resize is confirmed or reverted: ``(instance, migration)``. Raises MigrationNotFound
    where none waits for that. ``again``: the API was asked twice, and found one before the first wrote to it."""
    from nova import exception

    with done_elsewhere():
        context = world.context()
        instance, migration = world.instance(number, context), world.migration_of(number, context)
        if migration.status not in ("confirming" if again else "finished",):
            raise exception.MigrationNotFound(migration_id=migration.id)
        if not confirm:
            check_revertible(instance)
            instance.task_state = "resize_reverting"
            instance.save(expected_task_state=[None])
        migration.status = "confirming" if confirm else "reverting"
        migration.save()
        return instance, migration


def check_revertible(instance: Any) -> None:
    """Raise MoveEndedError where nobody knows the flavor any more that an instance had before its resize: the API
    takes it apart (for the quota, and for what the scheduler is asked later) before it writes anything."""
    if instance.old_flavor is None:
        raise MoveEndedError("the API has no flavor to go back to")


def set_state(world: World, number: int, vm_state: str, task_state: str | None) -> Any:
    """The API asks for something: the instance, in that state."""
    with done_elsewhere():
        instance = world.instance(number, world.context())
        instance.vm_state, instance.task_state = vm_state, task_state
        instance.save()
        return instance


def request_spec(world: World) -> Any:
    """What the scheduler was asked, as far as a compute host reads it."""
    from nova import objects

    made = objects.RequestSpec(world.context())
    if "requested_resources" in made.fields:
        # 19 and newer.
        made.requested_resources = []
    return made
