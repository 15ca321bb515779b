"""A PCI device that the host no longer has, and has again.

Virtual functions come and go: whoever changes their number, or hands the physical function to
a guest, takes them off the host. Nova asks the hypervisor for its devices once, when the
service starts; so each operation here ends with such a start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.boundary.calls import leave
from semafuzz.targets.nova.operations.restarts import restart
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.pci_devices import CHANGED, REPORTED, WITHOUT_ONE, WITHOUT_SEVERAL
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


def device_vanishes(world: World, arguments: Arguments) -> None:
    """The first host has one virtual function less, whoever uses it, and its service starts."""
    _start_with(world, WITHOUT_ONE)


def device_returns(world: World, arguments: Arguments) -> None:
    """It has all of them again, and its service starts."""
    _start_with(world, REPORTED)


def devices_vanish(world: World, arguments: Arguments) -> None:
    """A card and both virtual functions are gone at once, whoever uses them."""
    _start_with(world, WITHOUT_SEVERAL)


def device_changes_type(world: World, arguments: Arguments) -> None:
    """The physical function has no virtual ones any more, and is reported as an ordinary device."""
    _start_with(world, CHANGED)


def _start_with(world: World, devices: str) -> None:
    """Refused on a host without devices."""
    from nova import exception

    if not world.pci:
        raise exception.ComputeHostNotFound(host=HERE.host)
    leave("host's devices change")
    world.hosts[HERE.host].driver.devices = devices
    restart(world, {})
