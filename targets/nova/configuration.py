"""Options of nova.conf that the tracker reads, with values that it must work with and
values that it must refuse, and putting them in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semafuzz.harness.traces.schema import Value
from semafuzz.targets.model.protocol import OptionInfo
from semafuzz.targets.nova.world.pci_devices import ALIASES, DEVICE_SPEC, IN_PLACEMENT

OPTIONS: Sequence[OptionInfo] = (
    OptionInfo("reserved_host_memory_mb", (0, 512, 1024), (-1, "many", 9000)),
    OptionInfo("reserved_host_disk_mb", (0, 1024, 1500), (-1, "many", 2_000_000)),
    OptionInfo("reserved_host_cpus", (0, 1), (-1, "many", 11)),
    OptionInfo("cpu_allocation_ratio", (None, 4.0, 16.0), (-1.0, "many", 0.0)),
    OptionInfo("ram_allocation_ratio", (None, 1.0, 1.5), (-1.0, "many", 0.0)),
    OptionInfo("disk_allocation_ratio", (None, 1.0, 2.0), (-1.0, "many", 0.0)),
    OptionInfo("initial_cpu_allocation_ratio", (4.0, 16.0), (-1.0, "many", 0.0)),
    OptionInfo("initial_ram_allocation_ratio", (1.0, 1.5), (-1.0, "many", 0.0)),
    OptionInfo("initial_disk_allocation_ratio", (1.0, 2.0), (-1.0, "many", 0.0)),
    OptionInfo("report_in_placement", (False, True), ("many",)),
    OptionInfo("packing_host_numa_cells_allocation_strategy", (False, True), ("many",)),
)
"""Defaults first; nothing is reserved here, so that sums stay easy to read. The host has
10 CPUs, 8192 MiB of memory and 1028 GiB of disk: what reserves more is illegal, and so is a
ratio that leaves nothing to give out."""

GROUPS: Mapping[str, str] = {"report_in_placement": "pci", "packing_host_numa_cells_allocation_strategy": "compute"}
"""The groups of options that are not in the first one."""

WORLD = OptionInfo("world", ("fast", "real"), varied=False)
"""What stands around the tracker: rows in memory, for searching, or Nova's own database
layer and the real placement service. No option of nova.conf, but one of this target."""
OBJECTS = OptionInfo("objects", ("fast", "plain"), varied=False)
"""Nova's object library with the fast paths of ``semafuzz.targets.nova.fast_objects``, or as it was
released. The real world always has the latter."""

_in_force: dict[tuple[str, str], object] = {}


def put_in_force(configuration: Mapping[str, Value], pci: bool = False) -> None:
    """Make ``configuration`` (and the PCI devices, where there are any) what Nova reads;
    everything else goes back to what it was at the start.

    Raises ValueError where Nova's configuration refuses a value; nothing is in force then.
    """
    wanted: dict[tuple[str, str], object] = {
        (GROUPS.get(name, ""), name): value for name, value in configuration.items()
    }
    from nova.conf import CONF

    if pci:
        # 25 and older have the old name.
        name = "device_spec" if "device_spec" in CONF.pci else "passthrough_whitelist"
        wanted["pci", name] = IN_PLACEMENT if configuration.get("report_in_placement") else DEVICE_SPEC
        wanted["pci", "alias"] = ALIASES
        if "live_migration_wait_for_vif_plug" in CONF.compute:
            # 19 and newer: the network service does not say when a port with a device is plugged in.
            wanted["compute", "live_migration_wait_for_vif_plug"] = False
    if wanted == _in_force:
        return
    for group, name in [key for key in _in_force if key not in wanted]:
        _restore(CONF, group, name)
        del _in_force[group, name]
    for (group, name), value in wanted.items():
        try:
            CONF.set_override(name, value, group=group or None)
        except ValueError:
            put_in_force({})
            raise
        _in_force[group, name] = value
    _forget_aliases()


def _forget_aliases() -> None:
    """Newer releases read the aliases of PCI devices once in the life of a service."""
    from nova.pci import request

    forget = getattr(getattr(request, "get_alias_from_config", None), "cache_clear", None)
    if forget is not None:
        forget()


def unknown_options(configuration: Mapping[str, Value]) -> list[str]:
    """Those of ``configuration`` that this Nova does not have: ``initial_`` came with 19, PCI devices in placement
    with 27."""
    from nova.conf import CONF

    return sorted(name for name in configuration if name not in (CONF[GROUPS[name]] if name in GROUPS else CONF))


def illegal_values(configuration: Mapping[str, Value]) -> dict[str, Value]:
    """Those of ``configuration`` that the service must refuse."""
    illegal = {option.name: option.illegal for option in OPTIONS}
    return {name: value for name, value in configuration.items() if is_one_of(value, illegal[name])}


def is_one_of(value: Value, values: Sequence[Value]) -> bool:
    """Whether a value is among others, where 1 and 1.0 are two."""
    return any(value == one and type(value) is type(one) for one in values)


def _restore(conf: Any, group: str, name: str) -> None:
    from semafuzz.targets.nova.releases.boot import RESERVED

    if not group and name in RESERVED:
        conf.set_override(name, RESERVED[name])
    else:
        conf.clear_override(name, group=group or None)
