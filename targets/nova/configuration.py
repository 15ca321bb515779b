"""Options of nova.conf that are varied, and putting them in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.traces.schema import Value
from targets.nova.pci_devices import ALIASES, DEVICE_SPEC

_in_force: dict[tuple[str, str], object] = {}


def put_in_force(configuration: Mapping[str, Value], pci: bool = False) -> None:
    """Make ``configuration`` (and the PCI devices, where there are any) what Nova reads;
    everything else goes back to what it was at the start."""
    wanted: dict[tuple[str, str], object] = {("", name): value for name, value in configuration.items()}
    if pci:
        wanted["pci", "device_spec"], wanted["pci", "alias"] = DEVICE_SPEC, ALIASES
    if wanted == _in_force:
        return
    from nova.conf import CONF

    for group, name in [key for key in _in_force if key not in wanted]:
        _restore(CONF, group, name)
    for (group, name), value in wanted.items():
        CONF.set_override(name, value, group=group or None)
    _in_force.clear()
    _in_force.update(wanted)


def _restore(conf: Any, group: str, name: str) -> None:
    from targets.nova.boot import RESERVED

    if not group and name in RESERVED:
        conf.set_override(name, RESERVED[name])
    else:
        conf.clear_override(name, group=group or None)
