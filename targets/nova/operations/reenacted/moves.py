"""Resizes, as the compute managers of both hosts perform them.

The calls of the tracker and the row writes around them, in the order of 34.0.0's
``prep_resize``, ``confirm_resize``, ``revert_resize`` and ``finish_revert_resize``; so
also where a call fails. A resize is not offered to another host (the conductor gave no
retry), so that what failed leaves the instance in error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semafuzz.targets.nova.operations.managed.requests import check_revertible
from semafuzz.targets.nova.operations.reenacted.builds import BuildFailed
from semafuzz.targets.nova.operations.reenacted.manager import ReenactedManager
from semafuzz.targets.nova.world.names import BY_API, BY_CONFIRM, BY_RESIZE, NODE, OTHER
from semafuzz.targets.nova.world.tracker_factory import called
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


def _records(world: World, arguments: Arguments, loaded: Sequence[str] = BY_RESIZE) -> tuple[Any, Any, Any]:
    """``(context, instance, migration)`` as the manager gets them."""
    number, context = arguments["instance"], world.context()
    return context, world.instance(number, context, loaded), world.migration_of(number, context)


def _to_prepare(world: World, compute: ReenactedManager, number: int) -> tuple[Any, Any, Any]:
    """The same for ``prep_resize``. In 16 it gets no migration: the claim makes it."""
    context = world.context()
    instance = world.instance(number, context, BY_RESIZE)
    return context, instance, world.migration_of(number, context) if compute.migrations_hold else None


def resize_claim(world: World, arguments: Arguments) -> None:
    """``prep_resize`` on the destination."""
    compute = ReenactedManager(world)
    prepare(compute, NODE, *_to_prepare(world, compute, arguments["instance"]), lambda: None)


def resize_claim_abort(world: World, arguments: Arguments) -> None:
    """``prep_resize`` that cannot reach the source: ``MoveClaim.abort``."""

    def cast() -> None:
        raise BuildFailed

    compute = ReenactedManager(world)
    try:
        prepare(compute, NODE, *_to_prepare(world, compute, arguments["instance"]), cast)
    except BuildFailed:
        pass


def prepare(
    compute: ReenactedManager, node: str, context: Any, instance: Any, migration: Any, cast: Callable[[], None]
) -> Any:
    """``prep_resize``; ``cast`` stands for the message to the source. The migration, which
    in 16 is made here; raises what failed."""
    from nova import objects

    with (
        compute.reverting_task_state(context, instance),
        compute.erroring_out(instance),
        compute.erroring_out_migration(migration),
    ):
        try:
            claim_it = compute.tracker.resize_claim
            allocations = compute.allocations(context, instance.uuid, claim_it)
            image = objects.ImageMeta.from_dict({"properties": {}})
            with called(
                claim_it, context, instance, instance.new_flavor, node, migration=migration, allocations=allocations,
                image_meta=image, limits={},
            ) as claim:  # fmt: skip
                cast()
                return claim.migration
        except Exception:
            compute.end_failed_resize(context, instance, migration, node)
            raise


def drop_move_claim(world: World, arguments: Arguments) -> None:
    """A claim that is dropped on the destination after ``prep_resize`` had ended: what
    ``MoveClaim.abort`` does, then the end of the move."""
    context, instance, migration = _records(world, arguments)
    compute = ReenactedManager(world)
    with (
        compute.reverting_task_state(context, instance),
        compute.erroring_out(instance),
        compute.erroring_out_migration(migration),
    ):
        compute.tracker.drop_move_claim(context, instance, NODE, instance.new_flavor)
        instance.drop_migration_context()
        compute.end_failed_resize(context, instance, migration, NODE)
        migration.status = "failed"
        migration.save()
        instance.task_state = None
        instance.save()


def drop_move_claim_at_dest(world: World, arguments: Arguments) -> None:
    """``revert_resize`` on the destination and ``finish_revert_resize`` on the source."""
    context, instance, migration = _records(world, arguments, BY_API)
    # The API, before it calls the destination.
    check_revertible(instance)
    instance.task_state = "resize_reverting"
    instance.save(expected_task_state=[None])
    migration.status = "reverting"
    migration.save()
    compute = ReenactedManager(world)
    with (
        compute.reverting_task_state(context, instance),
        compute.erroring_out_migration(migration),
        compute.erroring_out(instance),
    ):
        if hasattr(compute.tracker, "drop_move_claim_at_dest"):
            compute.tracker.drop_move_claim_at_dest(context, instance, migration)
        else:
            _drop_at_dest_unlocked(compute, context, instance, migration)
    world.on(OTHER[0], _finish_revert, ReenactedManager(world, OTHER[0]), context, instance, migration)


def _drop_at_dest_unlocked(compute: ReenactedManager, context: Any, instance: Any, migration: Any) -> None:
    """``revert_resize`` up to 21.1.0: the lock is taken for the tracker's part alone."""
    migration.status = "reverted"
    migration.save()
    instance.revert_migration_context()
    instance.save()
    compute.tracker.drop_move_claim(context, instance, instance.node)
    compute.end_reverted(context, instance, migration)


def _finish_revert(compute: ReenactedManager, context: Any, instance: Any, migration: Any) -> None:
    with compute.reverting_task_state(context, instance), compute.erroring_out_migration(migration):
        try:
            with compute.erroring_out(instance):
                _revert_on_source(compute, context, instance, migration)
        finally:
            instance.old_flavor = instance.new_flavor = None
            instance.save()


def _revert_on_source(compute: ReenactedManager, context: Any, instance: Any, migration: Any) -> None:
    instance.flavor, instance.instance_type_id = instance.old_flavor, instance.old_flavor.id
    instance.host = migration.source_compute
    instance.node = migration.source_node
    if "compute_id" in instance.fields:
        # 28 and newer.
        instance.compute_id = compute.tracker.get_node_by_name(migration.source_node).id
    instance.save(expected_task_state=["resize_reverting"])
    compute.revert_allocation(context, instance, migration)
    instance.drop_migration_context()
    instance.save(expected_task_state="resize_reverting")
    instance.vm_state, instance.task_state = "active", None
    instance.save()


def drop_move_claim_at_source(world: World, arguments: Arguments) -> None:
    """``confirm_resize`` on the source."""
    from nova import exception, objects

    context, instance, migration = _records(world, arguments, BY_API)
    compute = ReenactedManager(world)
    with compute.erroring_out_migration(migration):
        try:
            instance = objects.Instance.get_by_uuid(context, instance.uuid, expected_attrs=list(BY_CONFIRM))
        except exception.InstanceNotFound:
            return
        _confirm(compute, context, instance, migration)


def _confirm(compute: ReenactedManager, context: Any, instance: Any, migration: Any) -> None:
    locked = hasattr(compute.tracker, "drop_move_claim_at_source")
    old = None if locked else instance.old_flavor
    with compute.erroring_out(instance):
        try:
            if locked:
                # For the addresses of network devices, before the lock is taken.
                instance.migration_context.get_pci_mapping_for_migration(True)
                compute.tracker.drop_move_claim_at_source(context, instance, migration)
            else:
                _drop_at_source_unlocked(compute, context, instance, migration, old)
            instance.vm_state, instance.task_state = "active", None
            instance.save(expected_task_state=[None, "deleting", "soft-deleting"])
        finally:
            compute.end_confirmed(context, instance, migration, old)
            if locked:
                instance.old_flavor = instance.new_flavor = None
                instance.save()


def _drop_at_source_unlocked(compute: ReenactedManager, context: Any, instance: Any, migration: Any, old: Any) -> None:
    """``_confirm_resize`` up to 21.1.0: the lock is taken for the tracker's part alone."""
    instance.old_flavor = instance.new_flavor = None
    instance.save()
    if hasattr(instance.migration_context, "get_pci_mapping_for_migration"):
        # Of 17 and 18 the later ones.
        instance.migration_context.get_pci_mapping_for_migration(True)
    migration.status = "confirmed"
    migration.save()
    compute.tracker.drop_move_claim(context, instance, migration.source_node, old, prefix="old_")
    instance.drop_migration_context()


def move(world: World, number: int, flavor: int, old: int, destination: tuple[str, str]) -> None:
    """Resize an instance from flavor ``old`` to ``destination``, up to where it waits to
    be confirmed; runs before the tasks."""
    host, node = destination
    compute = ReenactedManager(world, host)
    context, instance, migration = _to_prepare(world, compute, number)
    migration = world.on(host, prepare, compute, node, context, instance, migration, lambda: None)
    migration.status = "post-migrating"
    migration.save()
    instance.host, instance.node = host, node
    if "compute_id" in instance.fields:
        instance.compute_id = compute.tracker.compute_nodes[node].id
    instance.task_state = "resize_migrated"
    instance.old_flavor = world.flavor(old)
    instance.save()
    instance.flavor, instance.instance_type_id = world.flavor(flavor), flavor
    instance.apply_migration_context()
    instance.vm_state, instance.task_state = "resized", None
    instance.save()
    migration.status = "finished"
    migration.save()
