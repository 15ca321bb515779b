"""Builds and deletions, as the compute manager performs them.

The calls of the tracker and the row writes around them, in the order of 34.0.0's
``_do_build_and_run_instance``, ``_build_and_run_instance`` and ``_delete_instance``;
so also where a call fails. What the manager then raises or logs leaves the operation
as the exception that was at the bottom of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from semafuzz.targets.nova.operations.reenacted.manager import ReenactedManager
from semafuzz.targets.nova.world.names import BY_BUILD, NODE
from semafuzz.targets.nova.world.tracker_factory import called
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


class BuildFailed(Exception):
    """Raised in place of the hypervisor, to make the manager give up."""


class UncountedClaimError(Exception):
    """A build went on with a claim that counts nothing (``NopClaim``): up to 27 the tracker
    gives one for a node that it does not have."""


class LeftDevicesError(Exception):
    """A claim was aborted, and the manager's instance still has the devices that were given
    back: up to 27.0 an abort works on a copy. The next host gets them with the instance."""


def claim(world: World, arguments: Arguments) -> None:
    """A build that succeeds: ``with instance_claim``, spawn, instance active."""
    build(world, arguments["instance"], lambda: None)


def claim_abort(world: World, arguments: Arguments) -> None:
    """A build that fails: the claim is aborted on leaving its ``with`` block."""

    def spawn() -> None:
        raise BuildFailed

    try:
        build(world, arguments["instance"], spawn)
    except BuildFailed:
        pass


def build(
    world: World, number: int, spawn: Callable[[], None], compute: ReenactedManager | None = None, node: str = NODE
) -> None:
    """``build_and_run_instance``, on a thread of its own. Raises what ended the build."""
    compute = compute or ReenactedManager(world)
    context = world.context()
    instance = world.instance(number, context, BY_BUILD)
    try:
        with compute.reverting_task_state(context, instance):
            error, rescheduled = _try_build(compute, context, instance, node, spawn)
    except Exception:
        compute.drop_allocation(context, instance.uuid)
        raise
    if error is not None:
        if not rescheduled:
            compute.drop_allocation(context, instance.uuid)
        raise error
    if compute.uncounted:
        raise UncountedClaimError(f"the claim on {node} counted nothing, and the build went on")


def _try_build(
    compute: ReenactedManager, context: Any, instance: Any, node: str, spawn: Callable[[], None]
) -> tuple[Exception | None, bool]:
    """``_do_build_and_run_instance``: what went wrong, and whether another host will try."""
    from nova import exception
    from nova.compute import claims

    disappeared = (exception.InstanceNotFound, exception.UnexpectedDeletingTaskStateError)
    try:
        instance.vm_state, instance.task_state = "building", None
        instance.save(expected_task_state=("scheduling", None))
    except (exception.InstanceNotFound, exception.UnexpectedTaskStateError) as error:
        return error, False
    try:
        claim_it = compute.tracker.instance_claim
        allocations = compute.allocations(context, instance.uuid, claim_it)
        try:
            with called(claim_it, context, instance, node, allocations=allocations, limits={}) as made:
                compute.uncounted = type(made) is claims.NopClaim
                # In between the manager prepares networks and disks.
                instance.task_state = "spawning"
                instance.save()
                spawn()
        except (*disappeared, BuildFailed):
            check_devices(instance)
            raise
        except Exception as error:
            _reschedule(compute, context, instance)
            return error, True
        instance.vm_state, instance.task_state = "active", None
        instance.save(expected_task_state="spawning")
    except disappeared as error:
        return error, False
    except Exception as error:
        compute.forget_host(instance)
        compute.set_error(instance, clean_task_state=True)
        return error, False
    return None, False


def check_devices(instance: Any) -> None:
    """After an abort. Raises LeftDevicesError."""
    if instance.obj_attr_is_set("pci_devices") and len(instance.pci_devices or ()):
        found = ", ".join(device.address for device in instance.pci_devices)
        raise LeftDevicesError(f"after the abort of its claim the instance has {found}")


def _reschedule(compute: ReenactedManager, context: Any, instance: Any) -> None:
    """The instance goes back to the conductor, which asks the next host."""
    compute.forget_host(instance)
    instance.task_state = "scheduling"
    instance.save()
    compute.drop_allocation(context, instance.uuid)


def update_usage(world: World, arguments: Arguments) -> None:
    """What ``_update_resource_tracker`` does after a change of an instance."""
    context = world.context()
    instance = world.instance(arguments["instance"], context)
    ReenactedManager(world).tracker.update_usage(context, instance, NODE)


def delete(world: World, arguments: Arguments) -> None:
    """``terminate_instance``: save, update_usage, allocation, destroy. Up to 18 the row is
    destroyed before the tracker hears of it."""
    from nova import exception

    compute, context = ReenactedManager(world), world.context()
    instance = world.instance(arguments["instance"], context)
    with compute.reverting_task_state(context, instance):
        try:
            instance.vm_state, instance.task_state = "deleted", None
            instance.save()
            if compute.destroys_first:
                instance.destroy()
            compute.update_tracker(context, instance)
            compute.drop_allocation(context, instance.uuid)
            if not compute.destroys_first:
                instance.destroy()
        except exception.InstanceNotFound:
            pass
        except Exception:
            compute.set_error(instance)
            raise
