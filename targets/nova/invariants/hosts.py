"""I18 and I19: what the tracker says of a host as a whole, once an audit has run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semafuzz.targets.nova.invariants.checks import DISABLED, TOTALS, Violation
from semafuzz.targets.nova.world.hypervisor import totals_of
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.world import World

TRAIT = "COMPUTE_STATUS_DISABLED"
"""What a provider has whose host the scheduler is not to choose."""
_CLASSES = {"vcpus": "VCPU", "memory_mb": "MEMORY_MB", "local_gb": "DISK_GB"}


def host_violations(world: World, node: Any, place: Place) -> Iterator[Violation]:
    """I18: the node, its record and its provider have the totals that the hypervisor reports. I19: the provider says
    whether the service is disabled (in releases that say so)."""
    totals, row = totals_of(world.hosts[place.host].driver), world.node_row(place.node)
    inventories = world.placement.providers[row["uuid"]]["inventories"]
    for name, wanted in totals.items():
        have = (getattr(node, name), row[name], inventories.get(_CLASSES[name], {}).get("total"))
        if have != (wanted,) * 3:
            text = f"the hypervisor has {name} {wanted}; the tracker, the record and placement say {have}"
            yield Violation(TOTALS, name, text)
    disabled = world.conductor.is_service_disabled(place.host)
    if _says_so() and disabled != (TRAIT in world.placement.traits_of(row["uuid"])):
        state = "disabled" if disabled else "enabled"
        text = f"the service is {state}, and the provider of {place.node} says otherwise"
        yield Violation(DISABLED, "disabled", text)


def _says_so() -> bool:
    from nova.compute.resource_tracker import ResourceTracker

    return hasattr(ResourceTracker, "_sync_compute_service_disabled_trait")


def host_state(world: World, host: str) -> list[Any]:
    """What the oracles look at besides nodes and rows, for telling states apart."""
    driver = world.hosts[host].driver
    traits = [TRAIT in world.placement.traits_of(row["uuid"]) for row in world.conductor.rows("compute_node")]
    return [driver.devices, totals_of(driver), world.conductor.is_service_disabled(host), traits]
