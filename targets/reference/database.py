"""The rows of the reference world: every call is an I/O point and can fail there."""

from __future__ import annotations

from dataclasses import dataclass

from semafuzz.targets.declared.api import io


@dataclass(slots=True)
class Row:
    """An instance. ``state``: new, active or deleted; ``node``: where it is, or none;
    ``size``: what it takes there."""

    state: str
    node: str = ""
    size: int = 0


class Database:
    """What outlives the tracker. A call that fails has changed nothing."""

    def __init__(self, totals: dict[str, int]) -> None:
        self.totals = totals
        self.rows: dict[int, Row] = {}

    def load_total(self, node: str) -> int:
        """How much a node has."""
        io("database load node")
        return self.totals[node]

    def load(self, instance: int) -> Row:
        """A copy of an instance's row."""
        io("database load instance")
        row = self.rows[instance]
        return Row(row.state, row.node, row.size)

    def save(self, instance: int, state: str, node: str = "", size: int = 0) -> None:
        """Write an instance's row."""
        io("database save instance")
        self.rows[instance] = Row(state, node, size)

    def sum_on(self, node: str) -> int:
        """What the instances on a node take together."""
        io("database load sum")
        return sum(self.sizes_on(node).values())

    def sizes_on(self, node: str) -> dict[int, int]:
        """What each instance on a node takes, without a call: for what comes with
        another one, and for a judge."""
        return {instance: row.size for instance, row in self.rows.items() if row.node == node}
