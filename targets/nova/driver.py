"""The hypervisor: Nova's own fake driver, made deterministic."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from harness.kernel import current

NODE_UUIDS = {f"node{number}": str(uuid.UUID(int=0xC0DE0000 + number)) for number in range(1, 5)}
"""The fake driver draws node uuids at random, once per process."""


def make_driver(host: str, nodes: Sequence[str]) -> Any:
    """A driver for ``host`` that reports ``nodes``: 10 vCPUs, 8 GiB, 1 TiB each."""
    from nova.virt import fake

    class Driver(fake.MediumFakeDriver):
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
            )
            if execution is not None:
                execution.io("hypervisor get_available_resource done")
            return found

        def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
            return {NODE_UUIDS[name]: name for name in self._nodes}

    made = Driver(virtapi=None)
    made.init_host(host)
    made._set_nodes(list(nodes))
    return made
