"""Builds, rebuilds and deletions of an instance by Nova's own ``ComputeManager``.

The same as ``builds`` re-enacts around the tracker's methods, with all that the manager
does besides: its pool of threads, its states of a build, its clean-up of one that failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.boundary.calls import done_elsewhere
from semafuzz.targets.nova.operations.managed import requests
from semafuzz.targets.nova.operations.reenacted.builds import BuildFailed, check_devices
from semafuzz.targets.nova.world.hypervisor import failing_spawn
from semafuzz.targets.nova.world.names import BY_BUILD, HERE, IMAGE
from semafuzz.targets.nova.world.stubs import captured_faults, none_of
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


def boot(world: World, arguments: Arguments) -> None:
    """A build that the scheduler sends here. What ends it, the manager keeps to itself: it
    is raised here."""
    _, told = run_build(world, arguments["instance"], retry=False)
    raise_worst(told)


def boot_fails(world: World, arguments: Arguments) -> None:
    """The hypervisor cannot make the guest: the manager cleans up, gives the allocation
    back, and asks the conductor for another host."""
    instance, told = run_build(world, arguments["instance"], retry=True, spawn=BuildFailed)
    found = _worst(told)
    if found is not None and not isinstance(found, BuildFailed):
        raise found
    check_devices(instance)


def raise_worst(told: list[Exception]) -> None:
    """Raise what ended a build, if anything did."""
    found = _worst(told)
    if found is not None:
        raise found


def _worst(told: list[Exception]) -> Exception | None:
    """What says most of a build that failed: an error that is none of Nova's own, else the last."""
    from nova import exception

    unexpected = [one for one in told if not isinstance(one, exception.NovaException | BuildFailed)]
    return next(iter(unexpected or told[-1:]), None)


def run_build(
    world: World, number: int, *, retry: bool, spawn: type[Exception] | None = None, node: str = HERE.node
) -> tuple[Any, list[Exception]]:
    """A build on a node of the first host: the instance, and what the manager kept to itself. ``retry``: it may give
    up to the conductor; ``spawn``: what the hypervisor raises."""
    with done_elsewhere():
        context = world.context()
        instance = world.instance(number, context, BY_BUILD)
    # With it, the manager gives up a build that fails to the conductor.
    tried = {"retry": {"num_attempts": 1, "hosts": []}} if retry else {}
    with captured_faults() as told, failing_spawn(spawn):
        world.bus.perform(
            HERE.host, "build_and_run_instance", instance=instance, image={}, request_spec=None,
            filter_properties=tried, accel_uuids=[], admin_password="", injected_files=[], requested_networks=None,
            security_groups=[], block_device_mapping=none_of(context, instance.uuid), node=node, limits=None,
            host_list=[],
        )  # fmt: skip
    return instance, told


def rebuild(world: World, arguments: Arguments) -> None:
    """The guest is made anew from an image, where it is: nothing is claimed."""
    instance = requests.set_state(world, arguments["instance"], "active", "rebuilding")
    world.bus.perform(
        HERE.host, "rebuild_instance", instance=instance, orig_image_ref=IMAGE, image_ref=None, injected_files=[],
        new_pass="", orig_sys_metadata={}, bdms=None, recreate=False, on_shared_storage=None,
        preserve_ephemeral=False, migration=None, scheduled_node=None, limits=None, request_spec=None,
        accel_uuids=[],
    )  # fmt: skip


def terminate(world: World, arguments: Arguments) -> None:
    """A deletion: the guest, the row's usage, the allocation, the row."""
    instance = requests.set_state(world, arguments["instance"], "active", "deleting")
    world.bus.perform(
        HERE.host, "terminate_instance", instance=instance, bdms=none_of(world.context(), instance.uuid),
        reservations=[],
    )  # fmt: skip
