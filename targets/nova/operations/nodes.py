"""Operations on a host and its nodes: a second one appears and vanishes, the scheduler reads, the
configuration is read anew.

A hypervisor such as Ironic's reports nodes that come and go; one tracker serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.boundary.calls import leave
from semafuzz.targets.nova.world.names import EXTRA, HERE
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


class UnderreportedNodeError(Exception):
    """The record of a node says that it has room which instances at rest there take up."""


def node_appears(world: World, arguments: Arguments) -> None:
    """The hypervisor reports a second node, and the periodic task audits it for the first
    time: the tracker's own method. Refused where there are PCI devices: no hypervisor has
    several nodes and these, and a tracker keeps those of its first node only."""
    from nova import exception

    if world.pci:
        raise exception.ComputeHostNotFound(host=EXTRA.node)
    host = world.hosts[HERE.host]
    host.driver._set_nodes([HERE.node, EXTRA.node])
    try:
        host.tracker.update_available_resource(world.context(), EXTRA.node)
    except exception.InvalidInput as error:
        if EXTRA.node in world.reported(HERE.host):
            raise
        # It is gone again: the periodic task logs what it gets and goes on.
        raise exception.ComputeHostNotFound(host=EXTRA.node) from error


def node_vanishes(world: World, arguments: Arguments) -> None:
    """The hypervisor reports the first node only. The periodic task as the manager does it
    (its own ``update_available_resource``): records of other nodes go, the first is audited."""
    host = world.hosts[HERE.host]
    host.driver._set_nodes([HERE.node])
    host.manager.update_available_resource(world.context())


def read_node(world: World, arguments: Arguments) -> None:
    """The scheduler reads the node's record. It must count at least those instances that
    are at rest there and have never moved: they were counted before they were active, and
    nothing has begun that would end that. Raises UnderreportedNodeError."""
    leave("scheduler reads the node")
    row = world.node_row(HERE.node)
    if row is None:
        return
    moved = {one["instance_uuid"] for one in world.conductor.tables["migration"].values()}
    resting = [
        one["_extra"]["flavor"]["nova_object.data"]["memory_mb"]
        for one in world.conductor.rows("instance")
        if (one["host"], one["node"]) == HERE
        and one["vm_state"] == "active"
        and one["task_state"] is None
        and one["uuid"] not in moved
    ]
    if row["memory_mb_used"] < sum(resting):
        text = f"the record says {row['memory_mb_used']} MiB in use, instances at rest take {sum(resting)}"
        raise UnderreportedNodeError(text)


def reload(world: World, arguments: Arguments) -> None:
    """SIGHUP: ``ComputeManager.reset``, as far as it goes beyond messaging."""
    client = world.hosts[HERE.host].tracker.reportclient
    if hasattr(client, "clear_provider_cache"):
        # 17 and newer. What the client keeps is seen by no event: that it changes has to be one.
        leave("signal SIGHUP")
        client.clear_provider_cache()
