"""Nova's own ComputeManager, made for one host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from semafuzz.targets.nova.world.network import Network
from semafuzz.targets.nova.world.null_service import NULL_SERVICE
from semafuzz.targets.nova.world.pools import Executor
from semafuzz.targets.nova.world.rpc import Bus
from semafuzz.targets.nova.world.stubs import Images

_ABSENT = ("volume_api", "manila_api", "share_manager", "compute_task_api", "query_client")


class ManagedWorld(Protocol):
    """What a manager asks of its world: the hosts, and the messages between them."""

    bus: Bus

    @property
    def hosts(self) -> Mapping[str, Any]:
        """All hosts, by name."""


def make(world: ManagedWorld, host: str) -> Any:
    """The manager of a host, around the tracker that the host has now."""
    from nova import manager as base
    from nova.compute import manager

    made = manager.ComputeManager.__new__(manager.ComputeManager)
    # Its own constructor makes clients of other services and loads a hypervisor.
    base.Manager.__init__(made, host=host, service_name="compute")
    found = world.hosts[host]
    made.driver, made.rt, made.reportclient = found.driver, found.tracker, found.tracker.reportclient
    for name in _ABSENT:
        setattr(made, name, NULL_SERVICE)
    made.image_api = Images()
    made.network_api = Network()
    made.notifier = NULL_SERVICE
    made.compute_rpcapi = world.bus.rpcapi()
    made.instance_events = manager.InstanceEvents()
    made.virtapi = manager.ComputeVirtAPI(made)
    made.send_instance_updates = False
    # Up to 21: whether block devices are given to the hypervisor in the form of old.
    made.use_legacy_block_device_info = False
    # Up to 18 the tracker, and a client of the scheduler, go by other names.
    made._resource_tracker = found.tracker
    made.scheduler_client = getattr(found.tracker, "scheduler_client", NULL_SERVICE)
    made._build_semaphore = NULL_SERVICE
    # Up to 19: who keeps security groups.
    made.is_neutron_security_groups = True
    # Up to 17: how many live migrations go on at once.
    made._live_migration_semaphore = NULL_SERVICE
    made._waiting_live_migrations = {}
    made._live_migration_executor = Executor()
    # 33 and newer count what is under way.
    made._pending_dest_live_migrations, made._pending_dest_resizes = {}, {}
    return made
