"""Programs on the tracker: for each defect one that can show it.

Every program is right, whatever the schedule, as long as no defect is on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from async_tracker import tracker as under_test
from async_tracker.defects import Defects
from async_tracker.tracker import Peer, Tracker
from semafuzz.harness.trio_engine.program import TrioProgram

Scenario = Callable[[Defects], Awaitable[None]]


async def _loaded(defects: Defects) -> Tracker:
    tracker = Tracker({"h1": 10, "h2": 10}, defects)
    await tracker.load()
    return tracker


async def unlocked_claim(defects: Defects) -> None:
    """Two claims on one node at the same time."""
    tracker = await _loaded(defects)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.claim, "one", "h1", 6)
        nursery.start_soon(tracker.claim, "two", "h1", 6)
    tracker.check()


async def torn_move(defects: Defects) -> None:
    """An audit while an instance moves."""
    tracker = await _loaded(defects)
    await tracker.claim("one", "h1", 4)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.move, "one", "h2")
        nursery.start_soon(tracker.audit)


async def lost_rollback(defects: Defects) -> None:
    """Two claims; a cancellation of either is up to the scheduler."""
    tracker = await _loaded(defects)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.claim, "one", "h1", 4)
        nursery.start_soon(tracker.claim, "two", "h2", 4)
    tracker.check()


async def kept_lock(defects: Defects) -> None:
    """One instance is freed by somebody who may lose patience, an audit follows."""
    tracker = await _loaded(defects)
    await tracker.claim("one", "h1", 4)
    audited = trio.Event()

    async def free() -> None:
        with scope:
            await tracker.free("one")
        await audited.wait()

    async def audit() -> None:
        await tracker.audit()
        audited.set()

    async def lose_patience() -> None:
        scope.cancel()

    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        for work in (free, audit, lose_patience):
            nursery.start_soon(work)


async def lock_order(defects: Defects) -> None:
    """Two nodes copy to each other."""
    tracker = await _loaded(defects)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.copy, "h1", "h2")
        nursery.start_soon(tracker.copy, "h2", "h1")


async def lost_wakeup(defects: Defects) -> None:
    """One waits for room that another gives back."""
    tracker = await _loaded(defects)
    await tracker.claim("one", "h1", 8)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.wait_for_room, "h1", 4)
        nursery.start_soon(tracker.free, "one")


async def start_order(defects: Defects) -> None:
    """A claim right after the tracker was started."""
    tracker = Tracker({"h1": 10}, defects)
    async with trio.open_nursery() as nursery:
        if defects.start_order:
            nursery.start_soon(tracker.load)
        else:
            await nursery.start(tracker.load)
        nursery.start_soon(tracker.claim, "one", "h1", 4)
    tracker.check()


async def swallowed_cancel(defects: Defects) -> None:
    """A heartbeat that is cancelled when the tracker is closed."""
    tracker = await _loaded(defects)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.heartbeat, 3)
        await tracker.claim("one", "h1", 4)
        tracker.closed = True
        nursery.cancel_scope.cancel()


async def full_channels(defects: Defects) -> None:
    """Two nodes hand two instances each over to the other."""
    to_right, at_right = trio.open_memory_channel[str](1)
    to_left, at_left = trio.open_memory_channel[str](1)
    left = Peer(to_right, at_left, defects)
    right = Peer(to_left, at_right, defects)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(left.exchange, ["one", "two"], 2)
        nursery.start_soon(right.exchange, ["three", "four"], 2)
    assert (left.received, right.received) == (["three", "four"], ["one", "two"])


async def late_timeout(defects: Defects) -> None:
    """A claim that may take too long, and an audit."""
    tracker = await _loaded(defects)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tracker.claim_in_time, "one", "h1", 4, 1.0)
        nursery.start_soon(tracker.audit)
    tracker.check()


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (
        unlocked_claim,
        torn_move,
        lost_rollback,
        kept_lock,
        lock_order,
        lost_wakeup,
        start_order,
        swallowed_cancel,
        full_channels,
        late_timeout,
    )
}
"""The programs by the names of the defects that they can show."""


def program(name: str, defects: Defects) -> TrioProgram:
    """The program of this name, on a tracker with these defects."""
    scenario = SCENARIOS[name]

    async def main() -> None:
        await scenario(defects)

    return TrioProgram(
        main, f"async_tracker.{name}", under_test=[under_test], cancellations=1 if name == "lost_rollback" else 0
    )
