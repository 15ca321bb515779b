"""The reference tracker: what instances take on two nodes, counted in memory.

Ordinary threading code. The rows of the database are the truth; ``used`` of a node is
the sum over them, kept by hand. The lock ``resources`` guards everything but the
count of refusals, which has ``statistics``; where both are held, ``resources`` is taken
first. ``busy`` counts rows that are being saved: an audit waits until there are none.

Each branch on ``defects`` is a defect to switch on; see ``semafuzz.targets.reference.defects``.
"""

from __future__ import annotations

import threading

from semafuzz.targets.reference.database import Database
from semafuzz.targets.reference.defects import Defects

PATIENCE = 10.0
"""Seconds for which a claim waits for room; virtual under control."""


class Refused(Exception):
    """There is no room."""


class Node:
    """One node: what it has, what is taken, and who waits for room."""

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = total
        self.used = 0
        self.waiting: list[Ticket] = []


class Ticket:
    """A claim that waits. ``taken``: it was given room."""

    def __init__(self, instance: int, size: int) -> None:
        self.instance = instance
        self.size = size
        self.taken = False
        self.arrived = threading.Event()


class Tracker:
    """Claims, moves and drops, and an audit that counts anew from the rows."""

    def __init__(self, database: Database, defects: Defects) -> None:
        self.database = database
        self.defects = defects
        self.resources = threading.Lock()
        self.idle = threading.Condition(self.resources)
        self.statistics = threading.Lock()
        self.loading = threading.Lock()
        self.nodes: dict[str, Node] = {}
        self.claims: dict[tuple[int, str], int] = {}
        self.busy = 0
        self.refused = 0
        self.last_refused = 0
        self.audits = 0

    # ------------------------------------------------------------ operations

    def claim(self, instance: int, name: str, size: int) -> None:
        """Take room for a new instance; Refused where there is none."""
        node = self.node(name)
        free = node.total - node.used if self.defects.stale_check else None
        try:
            with self.resources:
                self._take(node, instance, size, free)
                self.busy += 1
        except Refused:
            self._count_refusal(instance)
            raise
        self._save_claim(node, instance, size)

    def wait_claim(self, instance: int, name: str, size: int) -> None:
        """Take room, and wait for it where there is none; Refused when that takes too long."""
        node = self.node(name)
        ticket = None
        with self.resources:
            try:
                self._take(node, instance, size)
                self.busy += 1
            except Refused:
                ticket = Ticket(instance, size)
                node.waiting.append(ticket)
        if ticket is not None and not self._await(node, ticket):
            self._count_refusal(instance)
            raise Refused
        self._save_claim(node, instance, size)

    def abort(self, instance: int) -> None:
        """Give an instance's room back; it is new again."""
        self._leave(instance, "new")

    def drop(self, instance: int) -> None:
        """Give an instance's room back for good."""
        self._leave(instance, "deleted")

    def update_usage(self, instance: int) -> None:
        """Give back the room of an instance that somebody else has deleted."""
        row = self.database.load(instance)
        if row.state == "deleted":
            for name in list(self.nodes):
                self._give(self.nodes[name], instance)

    def move(self, instance: int, size: int) -> None:
        """Bring an instance to the other node, with another size."""
        row = self.database.load(instance)
        source, target = self.node(row.node), self.node("b" if row.node == "a" else "a")
        try:
            if self.defects.torn_move:
                with self.resources:
                    self._check(target, size)
                with self.resources:
                    self._add(target, instance, size)
                    self.busy += 1
            else:
                with self.resources:
                    self._take(target, instance, size)
                    self.busy += 1
        except Refused:
            self._count_refusal(instance)
            raise
        try:
            self.database.save(instance, "active", target.name, size)
        except BaseException:
            self._give(target, instance)
            self._finish()
            raise
        self._give(source, instance)
        self._finish()

    def audit(self, name: str) -> None:
        """Count a node's usage anew, once nothing is being saved."""
        node = self.node(name)
        if self.defects.forgotten_release:
            self.resources.acquire()
            self._await_idle()
            node.used = self.database.sum_on(name)
            self.resources.release()
            return
        if self.defects.stale_audit:
            with self.resources:
                self._await_idle()
                used = self.database.sum_on(name)
            with self.resources:
                node.used = used
            return
        with self.resources:
            self._await_idle()
            node.used = self.database.sum_on(name)
            with self.statistics:
                self.audits += 1

    # ----------------------------------------------------------------- parts

    def node(self, name: str) -> Node:
        """The node, loaded with the first use."""
        node = self.nodes.get(name)
        if node is None:
            with self.loading:
                node = self.nodes.get(name)
                if node is None:
                    node = Node(name, self.database.load_total(name))
                    sizes = self.database.sizes_on(name)
                    if self.defects.early_publication:
                        self.nodes[name] = node
                    node.used = sum(sizes.values())
                    self.claims.update({(instance, name): size for instance, size in sizes.items()})
                    self.nodes[name] = node
        return node

    def _check(self, node: Node, size: int, free: int | None = None) -> None:
        if size > (node.total - node.used if free is None else free):
            raise Refused

    def _take(self, node: Node, instance: int, size: int, free: int | None = None) -> None:
        """Take room on a node; the lock is held."""
        self._check(node, size, free)
        if self.defects.early_release:
            used = node.used + size
            self.resources.release()
            node.used = used
            self.resources.acquire()
            self.claims[instance, node.name] = size
        else:
            self._add(node, instance, size)

    def _add(self, node: Node, instance: int, size: int) -> None:
        node.used += size
        self.claims[instance, node.name] = size

    def _give(self, node: Node, instance: int) -> None:
        """Give an instance's room on a node back, if it has some, to those who wait."""
        key = (instance, node.name)
        if self.defects.missing_lock:
            node.used -= self.claims.pop(key, 0)
            return
        if self.defects.double_drop:
            size = self.claims.get(key, 0)
            with self.resources:
                node.used -= size
                self.claims.pop(key, 0)
                self._serve(node)
            return
        with self.resources:
            node.used -= self.claims.pop(key, 0)
            self._serve(node)

    def _serve(self, node: Node) -> None:
        """Give free room to those who wait, in their order; the lock is held."""
        while node.waiting and node.waiting[0].size <= node.total - node.used:
            ticket = node.waiting.pop(0)
            self._add(node, ticket.instance, ticket.size)
            self.busy += 1
            ticket.taken = True
            ticket.arrived.set()

    def _await(self, node: Node, ticket: Ticket) -> bool:
        """Wait until a ticket has its room; False where that takes too long."""
        in_time = ticket.arrived.wait(PATIENCE)
        with self.resources:
            if ticket in node.waiting:
                node.waiting.remove(ticket)
        return in_time if self.defects.timeout_race else ticket.taken

    def _save_claim(self, node: Node, instance: int, size: int) -> None:
        """Write the row of a claim that has its room."""
        try:
            self.database.save(instance, "active", node.name, size)
        except BaseException:
            if not self.defects.lost_rollback:
                self._give(node, instance)
            self._finish()
            raise
        self._finish()

    def _leave(self, instance: int, state: str) -> None:
        row = self.database.load(instance)
        node = self.node(row.node)
        with self.resources:
            self.busy += 1
        try:
            self.database.save(instance, state)
        except BaseException:
            self._finish()
            raise
        self._give(node, instance)
        self._finish()

    def _finish(self) -> None:
        """A row is saved, or is not going to be."""
        if self.defects.early_notify:
            with self.resources:
                self.idle.notify_all()
            with self.resources:
                self.busy -= 1
            return
        with self.resources:
            self.busy -= 1
            self.idle.notify_all()

    def _await_idle(self) -> None:
        """Wait until no row is being saved; the lock is held."""
        while self.busy:
            if self.defects.lost_wakeup:
                self.resources.release()
                self.resources.acquire()
            self.idle.wait()

    def _count_refusal(self, instance: int) -> None:
        if self.defects.unlocked_counter:
            self.refused += 1
        elif self.defects.lock_inversion:
            with self.statistics:
                self.refused += 1
                with self.resources:
                    self.last_refused = instance
        else:
            with self.statistics:
                self.refused += 1
                self.last_refused = instance
