"""The flavors of instances, the simplest first, each with the one it is resized to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FlavorSpec:
    """Memory and swap in MiB, disks in GiB. ``larger``: the flavor that a resize asks for. ``port``: an instance that
    starts with it has a port with a virtual function, which it keeps in whatever is done to it."""

    vcpus: int
    memory: int
    root: int
    larger: int
    ephemeral: int = 0
    swap: int = 0
    extra: Mapping[str, str] = field(default_factory=dict)
    port: bool = False

    @property
    def disk(self) -> int:
        """What the scheduler asks placement for: swap is rounded up."""
        return self.root + self.ephemeral + -(-self.swap // 1024)

    @property
    def resources(self) -> dict[str, int]:
        """What the scheduler asks placement for."""
        asked = {"VCPU": self.vcpus, "MEMORY_MB": self.memory, "DISK_GB": self.disk}
        units = vpmem_units(self.extra)
        return {**asked, VPMEM_CLASS: units} if units else asked

    @property
    def uses_vpmem(self) -> bool:
        """Whether instances get units of persistent memory: from 20 on."""
        return vpmem_units(self.extra) > 0

    @property
    def uses_pci(self) -> bool:
        """Whether instances get PCI devices."""
        return self.port or _ALIAS in self.extra


VPMEM_LABEL = "4GB"
VPMEM_CLASS = f"CUSTOM_PMEM_NAMESPACE_{VPMEM_LABEL}"
"""The resource class of the units of persistent memory that hosts have."""
_ALIAS = "pci_passthrough:alias"
_VPMEM = "hw:pmem"
_PINNED = {"hw:cpu_policy": "dedicated"}

FLAVORS = {
    1: FlavorSpec(1, 64, 1, larger=2),
    2: FlavorSpec(2, 128, 2, larger=1),
    3: FlavorSpec(2, 256, 4, larger=4, extra=_PINNED),
    4: FlavorSpec(3, 512, 8, larger=3, extra=_PINNED),
    5: FlavorSpec(1, 64, 1, larger=6, ephemeral=2, swap=1024),
    6: FlavorSpec(1, 64, 1, larger=5, swap=512),
    7: FlavorSpec(2, 128, 2, larger=8, extra={"hw:numa_nodes": "2"}),
    8: FlavorSpec(1, 256, 2, larger=7, extra={"hw:mem_page_size": "large"}),
    9: FlavorSpec(3, 128, 2, larger=4, extra={"hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "0-1"}),
    10: FlavorSpec(4, 256, 2, larger=7, extra={**_PINNED, "hw:numa_nodes": "2"}),
    11: FlavorSpec(1, 64, 1, larger=12, extra={_ALIAS: "card:1"}),
    12: FlavorSpec(1, 128, 1, larger=11, extra={_ALIAS: "vf:1"}),
    13: FlavorSpec(2, 128, 1, larger=11, extra={**_PINNED, _ALIAS: "card:1,vf:1"}),
    14: FlavorSpec(1, 64, 1, larger=12, extra={_ALIAS: "pf:1"}),
    15: FlavorSpec(1, 64, 1, larger=16, extra={_VPMEM: VPMEM_LABEL}),
    16: FlavorSpec(2, 128, 1, larger=15, extra={_VPMEM: f"{VPMEM_LABEL},{VPMEM_LABEL}"}),
    17: FlavorSpec(1, 64, 1, larger=2, port=True),
}
"""By number. 1 and 2 are plain; 3 and 4 own their CPUs; 5 and 6 have ephemeral disks and
swap, of which 6 has not a whole GiB; 7 to 10 are on NUMA cells (two of them, huge pages,
shared with owned CPUs, owned CPUs on two); 11 to 14 have PCI devices; 15 and 16 have
units of persistent memory, one and two; 17 comes with a port that has a virtual function."""
SIMPLEST_FIRST = (1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 14, 15, 17, 10, 13)
"""With which an instance can start; the last two have most parts."""


def vpmem_units(extra: Mapping[str, str]) -> int:
    """How many units of persistent memory the extra specs of a flavor ask for."""
    return len(extra[_VPMEM].split(",")) if extra.get(_VPMEM) else 0


def is_rounded(number: int) -> bool:
    """Whether the disk of an instance that starts with this flavor, or of what it is
    resized to, is not a whole number of GiB."""
    return any(FLAVORS[one].swap % 1024 for one in (number, FLAVORS[number].larger))


def make_flavor(number: int) -> Any:
    """Nova's object for a flavor, as if it came from the database."""
    from nova import objects

    spec = FLAVORS[number]
    made = objects.Flavor(
        id=number, flavorid=f"f{number}", name=f"f{number}", memory_mb=spec.memory, vcpus=spec.vcpus,
        root_gb=spec.root, ephemeral_gb=spec.ephemeral, swap=spec.swap, rxtx_factor=1.0, vcpu_weight=0,
        disabled=False, is_public=True, extra_specs=dict(spec.extra), created_at=None, updated_at=None,
        deleted_at=None, deleted=False, projects=[], description=None,
    )  # fmt: skip
    made.obj_reset_changes()
    return made
