"""The hypervisor: Nova's own fake driver, made deterministic."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from harness.kernel import current

NODE_UUIDS = {f"node{number}": str(uuid.UUID(int=0xC0DE0000 + number)) for number in range(1, 5)}
"""The fake driver draws node uuids at random, once per process."""


CELLS, CPUS_PER_CELL, MEMORY_PER_CELL = 2, 4, 4096
HUGE_PAGES_PER_CELL = 512
"""Of 2 MiB each."""


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
        network = objects.NetworkMetadata(physnets=set(), tunneled=False)
        cells.append(
            objects.NUMACell(
                id=number, cpuset=cpus, pcpuset=cpus, memory=MEMORY_PER_CELL, cpu_usage=0, memory_usage=0,
                pinned_cpus=set(), siblings=[{cpu} for cpu in sorted(cpus)], mempages=pages,
                network_metadata=network, socket=number,
            )
        )  # fmt: skip
    return str(objects.NUMATopology(cells=cells)._to_json())


def make_driver(host: str, nodes: Sequence[str], devices: str = "") -> Any:
    """A driver for ``host`` that reports ``nodes``: 10 vCPUs, 8 GiB, 1 TiB, two NUMA cells
    each, and the PCI ``devices`` (JSON)."""
    from nova.virt import fake

    topology = _host_topology()

    class Driver(fake.MediumFakeDriver):  # type: ignore[misc]  # Nova ships no types
        def get_available_resource(self, nodename: str) -> dict[str, Any]:
            execution = current.execution
            if execution is not None:
                execution.io("hypervisor get_available_resource")
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
            if devices:
                found["pci_passthrough_devices"] = devices
            if execution is not None:
                execution.io("hypervisor get_available_resource done")
            return found

        def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
            return {NODE_UUIDS[name]: name for name in self._nodes}

    made = Driver(virtapi=None)
    made.init_host(host)
    made._set_nodes(list(nodes))
    return made
