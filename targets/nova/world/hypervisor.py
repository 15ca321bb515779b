"""The hypervisor: Nova's own fake driver, made deterministic."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from semafuzz.targets.nova.boundary.calls import leave
from semafuzz.targets.nova.world.vpmem import report_units

NODE_UUIDS = {f"node{number}": str(uuid.UUID(int=0xC0DE0000 + number)) for number in range(1, 5)}
"""The fake driver draws node uuids at random, once per process."""


CELLS, CPUS_PER_CELL, MEMORY_PER_CELL = 2, 4, 4096
HUGE_PAGES_PER_CELL = 512
"""Of 2 MiB each."""

WHOLE, HALF = 1, 2
"""By what the totals of a host are divided: a hypervisor can come to have less than it had."""
_TOTALS = ("vcpus", "memory_mb", "local_gb")


def set_totals(driver: Any, share: int) -> None:
    """Have a driver report its totals divided by ``share``, also to placement."""
    for name in _TOTALS:
        total = getattr(type(driver), name) // share
        setattr(driver, name, total)
        setattr(driver.resources, name, total)


def totals_of(driver: Any) -> dict[str, int]:
    """What a driver reports of a host as a whole: vCPUs, MiB of memory, GiB of disk."""
    return {name: int(getattr(driver, name)) for name in _TOTALS}


def _host_topology() -> str:
    """Two NUMA cells of four CPUs each, all of which instances may pin."""
    from nova import objects

    cells = []
    for number in range(CELLS):
        cpus = set(range(number * CPUS_PER_CELL, (number + 1) * CPUS_PER_CELL))
        small = (MEMORY_PER_CELL - 2 * HUGE_PAGES_PER_CELL) * 256
        pages = [
            objects.NUMAPagesTopology(size_kb=4, total=small, used=0),
            objects.NUMAPagesTopology(size_kb=2048, total=HUGE_PAGES_PER_CELL, used=0),
        ]
        cell = objects.NUMACell(
            id=number, cpuset=cpus, pcpuset=cpus, memory=MEMORY_PER_CELL, cpu_usage=0, memory_usage=0,
            pinned_cpus=set(), siblings=[{cpu} for cpu in sorted(cpus)], mempages=pages, socket=number,
        )  # fmt: skip
        if "network_metadata" in cell.fields:
            # 18 and newer.
            cell.network_metadata = objects.NetworkMetadata(physnets=set(), tunneled=False)
        cells.append(cell)
    return str(objects.NUMATopology(cells=cells)._to_json())


def _point(call: str) -> None:
    """The hypervisor takes its time: others may run, and it may fail."""
    leave(f"hypervisor {call}")


def _quiet(name: str, answer: Any = None) -> Any:
    """A method of the driver that does what it is asked."""

    def perform(self: Any, *args: object, **options: object) -> Any:
        _point(name)
        return answer

    perform.__name__ = name
    return perform


_failing: ContextVar[type[Exception] | None] = ContextVar("failing", default=None)


@contextmanager
def failing_spawn(error: type[Exception] | None) -> Iterator[None]:
    """In the block, this task's guests cannot be made, for that reason; None: they can."""
    token = _failing.set(error)
    try:
        yield
    finally:
        _failing.reset(token)


class _Guests:
    """What a driver does with guests: nothing, at an I/O point each. The fake driver
    keeps accounts of its own, which would outlive an execution."""

    called_off: set[str]
    """Instances whose live migration is to be given up."""
    moving: set[str]
    """Those whose guests are on their way."""

    cleanup_host = _quiet("cleanup_host")
    attach_interface = _quiet("attach_interface")
    detach_interface = _quiet("detach_interface")
    set_host_enabled = _quiet("set_host_enabled", "enabled")
    destroy = _quiet("destroy")
    cleanup = _quiet("cleanup")
    power_off = _quiet("power_off")
    snapshot = _quiet("snapshot")
    migrate_disk_and_power_off = _quiet("migrate_disk_and_power_off", "{}")
    finish_migration = _quiet("finish_migration")
    confirm_migration = _quiet("confirm_migration")
    finish_revert_migration = _quiet("finish_revert_migration")
    post_live_migration_at_source = _quiet("post_live_migration_at_source")
    post_live_migration_at_destination = _quiet("post_live_migration_at_destination")
    rollback_live_migration_at_destination = _quiet("rollback_live_migration_at_destination")

    def spawn(self, *args: object, **options: object) -> None:
        """The guest is made, or cannot be."""
        _point("spawn")
        error = _failing.get()
        if error is not None:
            raise error

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:
        """Every guest runs."""
        from nova.compute import power_state
        from nova.virt import hardware

        return hardware.InstanceInfo(state=power_state.RUNNING)

    def check_can_live_migrate_destination(self, context: Any, instance: Any, *args: Any, **options: Any) -> Any:
        """As libvirt: instances with a NUMA topology are claimed for. Their folders are not shared between hosts, as
        with local disks and with Ceph: a migration that is rolled back is cleaned up at its destination, too."""
        data = super().check_can_live_migrate_destination(context, instance, *args, **options)  # type: ignore[misc]
        data.is_shared_instance_path = False
        if instance.numa_topology and "dst_supports_numa_live_migration" in data.fields:
            data.dst_supports_numa_live_migration = True
        return data

    def check_can_live_migrate_source(self, context: Any, instance: Any, data: Any, devices: Any = None) -> Any:
        """Likewise."""
        _point("check_can_live_migrate_source")
        if instance.numa_topology and "src_supports_numa_live_migration" in data.fields:
            data.src_supports_numa_live_migration = True
        return data

    def pre_live_migration(
        self, context: Any, instance: Any, block_devices: Any, network: Any, disk: Any, migrate_data: Any
    ) -> Any:
        """The destination is ready."""
        _point("pre_live_migration")
        return migrate_data

    def live_migration(
        self, context: Any, instance: Any, dest: str, post: Any, recover: Any, block: bool = False, data: Any = None
    ) -> None:
        """The guest moves: ``post`` is called where it has, ``recover`` where it has not."""
        self.moving.add(instance.uuid)
        try:
            _point("live_migration")
            ended = {"migration_status": "cancelled"} if instance.uuid in self.called_off else None
        except Exception:
            ended = {}
        finally:
            self.moving.discard(instance.uuid)
        self.called_off.discard(instance.uuid)
        if ended is None:
            post(context, instance, dest, block, data)
        else:
            # As libvirt says it.
            recover(context, instance, dest, data, **ended)

    def live_migration_abort(self, instance: Any) -> None:
        """A guest that moves is to stay. Nothing is to be called off once it has moved."""
        _point("live_migration_abort")
        if instance.uuid in self.moving:
            self.called_off.add(instance.uuid)


def make_driver(
    host: str, nodes: Sequence[str], evacuated: Callable[[], list[str]], devices: str = "", *, vpmem: bool = False
) -> Any:
    """A driver for ``host`` that reports ``nodes``: 10 vCPUs, 8 GiB, 1 TiB, two NUMA cells
    each, the PCI ``devices`` (JSON), and with ``vpmem`` units of persistent memory. ``evacuated`` gives the uuids of
    guests that were rebuilt elsewhere and are still on the disks here."""
    from nova.virt import fake

    topology = _host_topology()

    class Driver(_Guests, fake.MediumFakeDriver):  # type: ignore[misc]  # Nova ships no types
        def get_available_resource(self, nodename: str) -> dict[str, Any]:
            _point("get_available_resource")
            if nodename not in self._nodes:
                return {}
            found = dict(self.host_status_base)
            found.update(self.resources.dump())
            found.update(
                hypervisor_hostname=nodename,
                host_hostname=nodename,
                host_name_label=nodename,
                uuid=NODE_UUIDS[nodename],
                cpu_info="{}",
                numa_topology=topology,
            )
            if self.devices:
                found["pci_passthrough_devices"] = self.devices
            _point("get_available_resource done")
            return found

        def update_provider_tree(self, provider_tree: Any, nodename: str, *arguments: Any, **options: Any) -> None:
            super().update_provider_tree(provider_tree, nodename, *arguments, **options)
            if vpmem:
                report_units(provider_tree, nodename)

        def list_instance_uuids(self) -> list[str]:
            # Asked for at a start, by which guests that were evacuated are told; of the others nobody asks.
            return evacuated()

        def init_host(self, host: str) -> None:
            _point("init_host")

        def _set_nodes(self, nodes: list[str]) -> None:
            # As in 19 and newer; before, the nodes are those of a module, for all drivers.
            self._nodes = nodes

        def is_node_deleted(self, nodename: str) -> bool:
            # As with Ironic; asked from 29 on, before all were taken for deleted.
            return nodename not in self._nodes

        def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
            return {NODE_UUIDS[name]: name for name in self._nodes}

    made = Driver(virtapi=None)
    super(Driver, made).init_host(host)
    made._set_nodes(list(nodes))
    made.devices = devices
    made.called_off, made.moving = set(), set()
    return made
