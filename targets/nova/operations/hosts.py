"""Operations on a whole host while its service runs: what its hypervisor has changes, and the service is
disabled for the scheduler and enabled again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.boundary.calls import done_elsewhere, leave
from semafuzz.targets.nova.world.hypervisor import HALF, WHOLE, set_totals
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]


def host_shrinks(world: World, arguments: Arguments) -> None:
    """The hypervisor has half of what it had (memory was taken out, a share of it was given to something else), and
    the periodic task sees it."""
    _audit_with(world, HALF)


def host_grows(world: World, arguments: Arguments) -> None:
    """It has all of it again, likewise."""
    _audit_with(world, WHOLE)


def _audit_with(world: World, share: int) -> None:
    leave("host's resources change")
    host = world.hosts[HERE.host]
    set_totals(host.driver, share)
    host.tracker.update_available_resource(world.context(), HERE.node)


def disable_service(world: World, arguments: Arguments) -> None:
    """An operator takes the host out of the scheduler's choice."""
    _switch_service(world, enabled=False)


def enable_service(world: World, arguments: Arguments) -> None:
    """An operator puts it back."""
    _switch_service(world, enabled=True)


def _switch_service(world: World, *, enabled: bool) -> None:
    """The API writes the record, then calls the host, which has its provider say so (20 and newer)."""
    with done_elsewhere():
        world.conductor.set_service_disabled(HERE.host, not enabled)
    world.bus.perform(HERE.host, "set_host_enabled", enabled=enabled)


def audit_all(world: World, arguments: Arguments) -> None:
    """The periodic task as the manager does it, over every node that the hypervisor reports: newer releases audit
    several of them in a pool of threads."""
    host = world.hosts[HERE.host]
    host.manager.update_available_resource(world.context())
