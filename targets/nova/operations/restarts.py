"""A nova-compute that is killed at any moment, and started anew.

What it was doing is gone: whatever its threads have in memory, and every call that they
would have made after. What they had written stays, guests go on running, and messages that
nobody had begun to handle are handled by the new process. That one starts as Nova's own
``ComputeManager`` starts: it puts right what its predecessor left (``init_host``), and audits
its nodes (``pre_start_hook``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semafuzz.targets.nova.boundary.process import Process, die_if_killed, running_in
from semafuzz.targets.nova.world.names import HERE, OTHER
from semafuzz.targets.nova.world.tracker_factory import called
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]
STARTS = (
    "restart", "restart_gracefully", "restart_other", "device_vanishes", "device_returns", "devices_vanish",
    "device_changes_type",
)  # fmt: skip
"""Operations that kill the service of a host and start it."""
SECONDS = 180
"""How long a service that is told to end has for that: the default of ``graceful_shutdown_timeout``."""
HALF_MOVED = ("pre-migrating", "migrating", "post-migrating")
"""States of a resize that somebody is to go on with."""
ATTEMPTS = 4
"""How often the service is started: what supervises it does so again where it gives up. More
often than a program has faults."""


def restart(world: World, arguments: Arguments) -> None:
    """Kill the service of the first host, and start it."""
    start_anew(world, HERE.host)


def restart_other(world: World, arguments: Arguments) -> None:
    """The same with the other host; one that was down is up afterwards. Refused where a program leaves an instance of
    it half way in a move: what starts would put right what nobody goes on with."""
    from nova import exception

    if has_half_moved(world, OTHER.host) and not world.under_way[OTHER.host]:
        raise exception.ComputeHostNotFound(host=OTHER.host)
    start_anew(world, OTHER.host)
    world.down.discard(OTHER.host)


def has_half_moved(world: World, host: str) -> bool:
    """Whether an instance of a host is half way in a move, which a start would put right."""
    moving = {row["instance_uuid"] for row in world.conductor.rows("migration") if row["status"] in HALF_MOVED}
    return any(row["uuid"] in moving for row in world.conductor.rows("instance") if row["host"] == host)


def restart_gracefully(world: World, arguments: Arguments) -> None:
    """The service of the first host is told to end, and is started once it has: it takes no more messages, and its
    manager waits for what is under way as far as the release does that (``graceful_shutdown``, before:
    ``cleanup_host``). What is under way then is gone, as with a kill."""
    host = world.hosts[HERE.host]
    # Whoever comes from here on waits for the next process.
    ending, host.process = host.process, Process(starting=True)
    manager = host.manager
    raised: Exception | None = None
    try:
        with running_in(ending):
            if hasattr(manager, "graceful_shutdown"):
                manager.set_shutdown_in_progress()
                world.on_host(HERE.host, manager.graceful_shutdown, SECONDS)
            else:
                world.on_host(HERE.host, manager.cleanup_host)
    except Exception as error:
        # The process ends all the same, and nobody is to wait for ever.
        raised = error
    world.interrupted |= ending.inside > 0
    ending.kill()
    start_anew(world, HERE.host, interrupts=False)
    if raised is not None:
        raise raised


def start_anew(world: World, name: str, *, interrupts: bool = True) -> None:
    """Kill the service of a host, if it runs, and start it. ``interrupts``: that cuts short what is under way there."""
    host = world.hosts[name]
    for attempt in range(ATTEMPTS):
        process = Process(starting=True)
        # In one step: whoever finds one that is gone finds the next already there.
        killed, host.process = host.process, process
        world.interrupted |= interrupts and world.under_way[name] > 0
        killed.kill()
        try:
            with running_in(process):
                tracker = host.new_tracker()
                # A process that was killed while it started has nothing to say about the next one's.
                die_if_killed()
                host.tracker = tracker
                world.on_host(name, _start, world, name)
        except Exception:
            if attempt == ATTEMPTS - 1:
                # Nobody is to wait for ever: this failure is what is told.
                process.up()
                raise
        else:
            process.up()
            return


def _start(world: World, name: str) -> None:
    from nova import objects

    manager = world.hosts[name].manager
    service = objects.Service.get_by_compute_host(world.context(), name)
    # 28 and newer know their own service.
    called(manager.init_host, service_ref=service)
    called(manager.pre_start_hook, service_ref=service)
