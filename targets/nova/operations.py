"""The operations of the tracker, as the compute manager performs them.

Each runs the tracker's own method and, in their legal order, the row writes that
``ComputeManager`` makes around it without the lock (re-enacted here, checked against
34.0.0's manager; the tracker, its claims and its statistics are Nova's own code).

An instance has a *role*, and an operation asks for one and leaves one, so that
programs only contain orders that the manager can produce. ``shared`` operations may
run beside others on the same instance: the manager makes them from other threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from targets.nova.world import World

NODE = "node1"
HOST = "host1"
OTHER = ("host2", "node2")
Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One row of the operation table.

    ``arguments`` are names: ``instance`` (its number). ``before``: the role that the
    instance must have; ``after``: the role that it then has. ``weight``: how often
    programs contain it, relative to the others.
    """

    name: str
    run: Callable[[World, Arguments], None]
    arguments: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    shared: bool = False
    weight: int = 2


class BuildFailed(Exception):
    """Raised in place of the hypervisor, to make the manager give up."""


def _tracker(world: World) -> Any:
    return world.hosts[HOST].tracker


def _allocations(world: World, number: int) -> Any:
    found = world.placement.allocations.get(world.uuid(number))
    return {} if found is None else {uuid: {"resources": amounts} for uuid, amounts in found[1].items()}


def claim(world: World, arguments: Arguments) -> None:
    """A build that succeeds: ``with instance_claim``, spawn, instance active."""
    number = arguments["instance"]
    context = world.context()
    instance = world.instance(number, context)
    tracker = _tracker(world)
    with tracker.instance_claim(context, instance, NODE, _allocations(world, number), {}):
        instance.vm_state, instance.task_state = "active", None
        instance.save(expected_task_state=["scheduling"])
    tracker.update_usage(context, instance, NODE)


def claim_abort(world: World, arguments: Arguments) -> None:
    """A build that fails: the claim is aborted on leaving its ``with`` block."""
    number = arguments["instance"]
    context = world.context()
    instance = world.instance(number, context)
    try:
        with _tracker(world).instance_claim(context, instance, NODE, _allocations(world, number), {}):
            raise BuildFailed
    except BuildFailed:
        world.deallocate(instance.uuid)
        instance.vm_state, instance.task_state = "error", None
        instance.save()


def update_usage(world: World, arguments: Arguments) -> None:
    """What ``_update_resource_tracker`` does after a change of an instance."""
    context = world.context()
    instance = world.instance(arguments["instance"], context)
    _tracker(world).update_usage(context, instance, NODE)


def delete(world: World, arguments: Arguments) -> None:
    """``_complete_deletion``: save, update_usage, allocation, destroy."""
    context = world.context()
    instance = world.instance(arguments["instance"], context)
    instance.vm_state, instance.task_state = "deleted", None
    instance.save()
    _tracker(world).update_usage(context, instance, NODE)
    world.deallocate(instance.uuid)
    instance.destroy()


def resize_claim(world: World, arguments: Arguments) -> None:
    """``prep_resize`` on the destination."""
    number = arguments["instance"]
    context = world.context()
    instance, migration = world.instance(number, context), world.migration_of(number, context)
    _claim_resize(world, context, instance, migration)


def _claim_resize(world: World, context: Any, instance: Any, migration: Any, host: str = HOST, node: str = NODE) -> Any:
    from nova import objects

    image = objects.ImageMeta.from_dict({"properties": {}})
    tracker = world.hosts[host].tracker
    return tracker.resize_claim(
        context, instance, instance.new_flavor, node, migration, None, image_meta=image, limits={}
    )


def resize_claim_abort(world: World, arguments: Arguments) -> None:
    """``prep_resize`` that fails: ``MoveClaim.abort``, then migration in error."""
    number = arguments["instance"]
    context = world.context()
    instance, migration = world.instance(number, context), world.migration_of(number, context)
    try:
        with _claim_resize(world, context, instance, migration):
            raise BuildFailed
    except BuildFailed:
        _end_migration(instance, migration, "error")


def _end_migration(instance: Any, migration: Any, status: str) -> None:
    migration.status = status
    migration.save()
    instance.task_state = None
    instance.save()


def drop_move_claim(world: World, arguments: Arguments) -> None:
    """The roll-back of a move on its destination, then the migration's end."""
    number = arguments["instance"]
    context = world.context()
    instance, migration = world.instance(number, context), world.migration_of(number, context)
    _tracker(world).drop_move_claim(context, instance, NODE)
    _end_migration(instance, migration, "failed")


def drop_move_claim_at_dest(world: World, arguments: Arguments) -> None:
    """``revert_resize`` on the destination and ``finish_revert_resize`` on the source."""
    number = arguments["instance"]
    context = world.context()
    instance, migration = world.instance(number, context), world.migration_of(number, context)
    migration.status = "reverting"
    migration.save()
    instance.task_state = "resize_reverting"
    instance.save()
    _tracker(world).drop_move_claim_at_dest(context, instance, migration)
    instance.host, instance.node = OTHER
    instance.compute_id = world.hosts[OTHER[0]].tracker.compute_nodes[OTHER[1]].id
    instance.flavor, instance.instance_type_id = instance.old_flavor, instance.old_flavor.id
    instance.old_flavor = instance.new_flavor = None
    instance.vm_state, instance.task_state = "active", None
    instance.drop_migration_context()
    instance.save()


def drop_move_claim_at_source(world: World, arguments: Arguments) -> None:
    """``confirm_resize`` on the source."""
    number = arguments["instance"]
    context = world.context()
    instance, migration = world.instance(number, context), world.migration_of(number, context)
    _tracker(world).drop_move_claim_at_source(context, instance, migration)
    instance.vm_state, instance.task_state = "active", None
    instance.old_flavor = instance.new_flavor = None
    instance.save()


def audit(world: World, arguments: Arguments) -> None:
    """The periodic task: ``update_available_resource``."""
    _tracker(world).update_available_resource(world.context(), NODE)


def build_failed(world: World, arguments: Arguments) -> None:
    """The manager counts a failed build."""
    _tracker(world).build_failed(NODE)


def build_succeeded(world: World, arguments: Arguments) -> None:
    """The manager forgets the failed builds."""
    _tracker(world).build_succeeded(NODE)


def remove_node(world: World, arguments: Arguments) -> None:
    """The periodic task found that the driver does not report the node."""
    _tracker(world).remove_node(NODE)


TABLE: dict[str, OperationSpec] = {
    spec.name: spec
    for spec in (
        OperationSpec("claim", claim, ("instance",), "new", "active", weight=4),
        OperationSpec("remove_node", remove_node, weight=1),
        OperationSpec("claim_abort", claim_abort, ("instance",), "new", "failed", weight=3),
        OperationSpec("update_usage", update_usage, ("instance",), "active", "active", shared=True),
        OperationSpec("delete", delete, ("instance",), "active", "gone", weight=3),
        OperationSpec("resize_claim", resize_claim, ("instance",), "incoming", "arriving", weight=3),
        OperationSpec("resize_claim_abort", resize_claim_abort, ("instance",), "incoming", "settled"),
        OperationSpec("drop_move_claim", drop_move_claim, ("instance",), "arriving", "settled"),
        OperationSpec("drop_move_claim_at_dest", drop_move_claim_at_dest, ("instance",), "arrived", "settled"),
        OperationSpec("drop_move_claim_at_source", drop_move_claim_at_source, ("instance",), "leaving", "settled"),
        OperationSpec("build_failed", build_failed, weight=3),
        OperationSpec("build_succeeded", build_succeeded),
        OperationSpec("audit", audit, weight=6),
    )
}

ROLES = ("new", "active", "incoming", "arriving", "arrived", "leaving")
"""The roles in which an instance can start: to be built; running here; about to be
resized to here; claimed here; resized to here and waiting to be confirmed or
reverted; resized away and waiting likewise."""


def set_up(world: World, arguments: Arguments) -> None:
    """Bring one instance into its starting role; runs before the tasks, alone."""
    number, role, flavor = arguments["instance"], arguments["role"], arguments["flavor"]
    if role in ("new", "active", "leaving"):
        world.create_instance(number, flavor)
        world.allocate(world.uuid(number), NODE, flavor)
        if role != "new":
            world.on(HOST, claim, world, arguments)
        if role == "leaving":
            world.create_migration(number, flavor, _resized(flavor), (HOST, NODE))
            _move(world, number, flavor, OTHER)
        return
    world.create_instance(number, flavor)
    world.allocate(world.uuid(number), OTHER[1], flavor)
    world.on(OTHER[0], _claim_elsewhere, world, number)
    world.create_migration(number, flavor, _resized(flavor), OTHER)
    if role == "arriving":
        world.on(HOST, resize_claim, world, arguments)
    if role == "arrived":
        _move(world, number, flavor, (HOST, NODE))


def _resized(flavor: int) -> int:
    """The flavor that an instance of ``flavor`` is resized to."""
    return {1: 2, 2: 1, 3: 4}[flavor]


def _claim_elsewhere(world: World, number: int) -> None:
    context = world.context()
    instance = world.instance(number, context)
    with world.hosts[OTHER[0]].tracker.instance_claim(context, instance, OTHER[1], _allocations(world, number), {}):
        instance.vm_state, instance.task_state = "active", None
        instance.save(expected_task_state=["scheduling"])


def _move(world: World, number: int, flavor: int, destination: tuple[str, str]) -> None:
    """Resize an instance to ``destination``, up to where it waits to be confirmed."""
    host, node = destination
    new = _resized(flavor)
    context = world.context()
    instance, migration = world.instance(number, context), world.migration_of(number, context)
    world.on(host, _claim_resize, world, context, instance, migration, host, node)
    migration.status = "post-migrating"
    migration.save()
    instance.host, instance.node = host, node
    instance.compute_id = world.hosts[host].tracker.compute_nodes[node].id
    instance.task_state = "resize_migrated"
    instance.old_flavor = world.flavor(flavor)
    instance.save()
    instance.flavor, instance.instance_type_id = world.flavor(new), new
    instance.apply_migration_context()
    instance.vm_state, instance.task_state = "resized", None
    instance.save()
    migration.status = "finished"
    migration.save()
    world.on(HOST, audit, world, {})
