"""Lock policy of ResourceTracker: what its lock guards.

From the code of 34.0.0: ``compute_resources`` serialises the methods that change what
the tracker holds (its comments ask for it: "while the COMPUTE_RESOURCES_SEMAPHORE is
held"), and everything below is read again under it by claims and audits.

Guarded are all attributes of the tracker, the containers in them and the objects reached:
compute nodes, statistics, the PCI manager and its pools. Not followed, so not guarded:

- instances and migrations (``tracked_migrations`` keeps those that callers hand in):
  the caller's own objects, which it goes on changing, as the manager does;
- the driver, the report client and the provider tree: they have locks of their own, and
  their code is not under test, so no write to them would be seen;
- what an unlocked method makes before it is published: the dictionary of resources that
  ``update_available_resource`` completes before its locked part is one.

``__init__`` writes everything, before anybody else has the tracker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from semafuzz.harness.detectors.discipline.policy import Guard, LockPolicy
from semafuzz.targets.nova.world.named_locks import lock_name
from semafuzz.targets.nova.world.world import World

EXEMPT = {
    # set_service_ref is called by the manager's pre_start_hook only, before the service
    # listens and before its first audit; the reference is never exchanged for another
    # service's (it refuses). So its one write has nobody beside it.
    "service_ref": "set once, before the service takes requests",
}


def tracker_policy(world: Callable[[], World | None]) -> LockPolicy:
    """The policy of the trackers in ``world()``, each under its own host's lock."""
    from nova.compute.resource_tracker import COMPUTE_RESOURCE_SEMAPHORE, ResourceTracker
    from nova.compute.stats import Stats
    from nova.objects import ComputeNode
    from nova.pci.manager import PciDevTracker
    from nova.pci.stats import PciDeviceStats

    def guards() -> Sequence[Guard]:
        made = world()
        hosts = {} if made is None else made.hosts
        return [Guard(lock_name(name, COMPUTE_RESOURCE_SEMAPHORE), host.tracker) for name, host in hosts.items()]

    return LockPolicy(
        ResourceTracker,
        COMPUTE_RESOURCE_SEMAPHORE,
        guards,
        (ComputeNode, Stats, PciDevTracker, PciDeviceStats),
        EXEMPT,
    )
