"""A small resource tracker on trio: nodes with room, instances that claim it.

The same vocabulary as Nova's: claim, usage, move, audit, one lock. Every call that
would go to a database or another service is a checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping

import trio

from async_tracker.defects import Defects

Claim = tuple[str, int]
"""The node and the room that an instance has."""


class Node:
    """A node with room for so much."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0
        self.lock = trio.Lock()


class Tracker:
    """Which instance has how much room on which node."""

    def __init__(self, capacities: Mapping[str, int], defects: Defects) -> None:
        self.defects = defects
        self.capacities = capacities
        self.nodes: dict[str, Node] = {}
        self.claims: dict[str, Claim] = {}
        self.lock = trio.Lock()
        self.changed = trio.Event()
        self.beats = 0
        self.closed = False

    async def load(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Learn which nodes there are."""
        await report()
        self.nodes = {name: Node(capacity) for name, capacity in self.capacities.items()}
        task_status.started()

    async def claim(self, instance: str, name: str, amount: int) -> bool:
        """Take room on a node; False where there is none."""
        if self.defects.unlocked_claim:
            return await self._claim(instance, name, amount)
        async with self.lock:
            return await self._claim(instance, name, amount)

    async def _claim(self, instance: str, name: str, amount: int) -> bool:
        node = self.nodes[name]
        used = node.used + amount
        await report()
        if used > node.capacity:
            return False
        node.used = used
        if self.defects.lost_rollback:
            await report()
        else:
            try:
                await report()
            except BaseException:
                node.used -= amount
                raise
        self.claims[instance] = (name, amount)
        return True

    async def free(self, instance: str) -> None:
        """Give the room of an instance back."""
        if self.defects.kept_lock:
            await self.lock.acquire()
            await report()
            self._free(instance)
            self.lock.release()
        else:
            async with self.lock:
                await report()
                self._free(instance)

    def _free(self, instance: str) -> None:
        name, amount = self.claims.pop(instance)
        self.nodes[name].used -= amount
        self.changed.set()
        self.changed = trio.Event()

    async def move(self, instance: str, target: str) -> None:
        """Move an instance, with its room, to another node."""
        if self.defects.torn_move:
            await self._move(instance, target)
        else:
            async with self.lock:
                await self._move(instance, target)

    async def _move(self, instance: str, target: str) -> None:
        source, amount = self.claims[instance]
        self.nodes[source].used -= amount
        await report()
        self.nodes[target].used += amount
        self.claims[instance] = (target, amount)

    async def copy(self, source: str, target: str) -> None:
        """Copy the images of one node to another; both are locked meanwhile."""
        names = [source, target] if self.defects.lock_order else sorted([source, target])
        async with self.nodes[names[0]].lock, self.nodes[names[1]].lock:
            await report()

    async def wait_for_room(self, name: str, amount: int) -> None:
        """Wait until a node has room for so much."""
        node = self.nodes[name]
        while node.used + amount > node.capacity:
            if self.defects.lost_wakeup:
                await report()
                self.changed = trio.Event()
            await self.changed.wait()

    async def heartbeat(self, beats: int) -> None:
        """Say some times that the tracker lives, until it is cancelled."""
        for _ in range(beats):
            try:
                await report()
            except trio.Cancelled:
                if not self.defects.swallowed_cancel:
                    raise
            assert not self.closed, "a beat after the end"
            self.beats += 1

    async def claim_in_time(self, instance: str, name: str, amount: int, seconds: float) -> bool:
        """Claim, and give up after so long."""
        node = self.nodes[name]
        with trio.move_on_after(seconds) as scope:
            async with self.lock:
                await report()
                node.used += amount
                self.claims[instance] = (name, amount)
                with trio.CancelScope(shield=not self.defects.late_timeout):
                    await report()
        if scope.cancelled_caught:
            if self.defects.late_timeout and instance in self.claims:
                node.used -= amount
            return False
        return True

    async def audit(self) -> None:
        """Raise AssertionError where usage is not what the claims add up to."""
        async with self.lock:
            await report()
            self.check()

    def check(self) -> None:
        """The sums, without waiting for anybody."""
        for name, node in self.nodes.items():
            claimed = sum(amount for where, amount in self.claims.values() if where == name)
            assert node.used == claimed, f"{name} uses {node.used}, claims add up to {claimed}"
            assert node.used <= node.capacity, f"{name} uses {node.used} of {node.capacity}"


class Peer:
    """One of two nodes that hand instances over to each other."""

    def __init__(
        self, out: trio.MemorySendChannel[str], arriving: trio.MemoryReceiveChannel[str], defects: Defects
    ) -> None:
        self.out = out
        self.arriving = arriving
        self.defects = defects
        self.received: list[str] = []

    async def exchange(self, letters: list[str], expected: int) -> None:
        """Send ``letters`` and receive so many."""
        if self.defects.full_channels:
            while self.arriving.statistics().current_buffer_used:
                self.received.append(self.arriving.receive_nowait())
            await report()
            await self.send(letters)
            await self.receive(expected)
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.send, letters)
                nursery.start_soon(self.receive, expected)

    async def send(self, letters: list[str]) -> None:
        """Send all of them."""
        for letter in letters:
            await self.out.send(letter)

    async def receive(self, expected: int) -> None:
        """Receive until there are so many."""
        while len(self.received) < expected:
            self.received.append(await self.arriving.receive())


async def report() -> None:
    """A call to another service."""
    await trio.lowlevel.checkpoint()
