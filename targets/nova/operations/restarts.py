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

from semafuzz.targets.nova.boundary.process import Process, running_in
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.tracker_factory import called
from semafuzz.targets.nova.world.world import World

Arguments = Mapping[str, Any]
STARTS = ("restart", "device_vanishes", "device_returns")
"""Operations that kill the service of the first host and start it."""
ATTEMPTS = 4
"""How often the service is started: what supervises it does so again where it gives up. More
often than a program has faults."""


def restart(world: World, arguments: Arguments) -> None:
    """Kill the service of the first host, and start it."""
    host = world.hosts[HERE.host]
    for attempt in range(ATTEMPTS):
        process = Process(starting=True)
        # In one step: whoever finds one that is gone finds the next already there.
        killed, host.process = host.process, process
        world.interrupted |= world.under_way > 0
        killed.kill()
        try:
            with running_in(process):
                host.tracker = host.new_tracker()
                world.on_host(host.name, _start, world)
        except Exception:
            if attempt == ATTEMPTS - 1:
                # Nobody is to wait for ever: this failure is what is told.
                process.up()
                raise
        else:
            process.up()
            return


def _start(world: World) -> None:
    from nova import objects

    manager = world.hosts[HERE.host].manager
    service = objects.Service.get_by_compute_host(world.context(), HERE.host)
    # 28 and newer know their own service.
    called(manager.init_host, service_ref=service)
    called(manager.pre_start_hook, service_ref=service)
