"""trio's event loop, driven from outside.

trio runs as a guest (a public mode of it, made for running inside other event
loops), for two reasons: it then leaves the process's signal wake-up descriptor
alone, which the watchdog's timer signals would write to in the moment
in which trio closes it; and nothing of it sleeps, since the clock never asks for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import trio


def run(
    async_function: Callable[[Any], Awaitable[object]],
    argument: object,
    clock: trio.abc.Clock,
    instrument: trio.abc.Instrument,
) -> object:
    """As ``trio.run``: what the function returns, or what it raises. ``clock`` must never
    ask for sleep: there is nobody to wake the loop."""
    ticks: deque[Callable[[], object]] = deque()
    done: list[Any] = []
    trio.lowlevel.start_guest_run(
        async_function,
        argument,
        run_sync_soon_threadsafe=ticks.append,
        done_callback=done.append,
        host_uses_signal_set_wakeup_fd=True,
        clock=clock,
        instruments=[instrument],
    )
    while not done:
        ticks.popleft()()
    return done[0].unwrap()
