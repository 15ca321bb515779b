"""Instances on a second node of the first host, as with a hypervisor that serves several machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.boundary.calls import done_elsewhere
from semafuzz.targets.nova.operations.managed.builds import raise_worst, run_build
from semafuzz.targets.nova.world.names import EXTRA, HERE
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


def boot_extra(world: World, arguments: Arguments) -> None:
    """A build that the scheduler sends to the second node. Refused where the hypervisor does not report it, and for
    an instance with a NUMA topology: no hypervisor has several nodes and these."""
    from nova import exception

    number = arguments["instance"]
    with done_elsewhere():
        if EXTRA.node not in world.reported(HERE.host):
            raise exception.ComputeHostNotFound(host=EXTRA.node)
        instance = world.instance(number, world.context())
        if instance.numa_topology is not None:
            raise exception.ComputeResourcesUnavailable(reason="a node of several has no NUMA cells to choose from")
        world.allocate(instance.uuid, EXTRA.node, int(instance.flavor.id))
    _, told = run_build(world, number, retry=False, node=EXTRA.node)
    raise_worst(told)
