"""The reference tracker as a target, declared as a user's own would be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from semafuzz.harness.traces.schema import Value
from semafuzz.targets.declared.api import DeclaredTarget, FaultInfo, OptionInfo, Violation, operation
from semafuzz.targets.model.protocol import Plain
from semafuzz.targets.reference.database import Database, Row
from semafuzz.targets.reference.defects import NAMES, NONE, seeded
from semafuzz.targets.reference.tracker import Refused, Tracker

NODES = ("a", "b")
SIZES = (1, 5, 4)
"""Two that do not fit beside each other, and one that is too large for a node."""


@dataclass(slots=True)
class World:
    """The database, the tracker and how often it refused."""

    database: Database
    tracker: Tracker
    refused: int = 0


class Reference(DeclaredTarget):
    """A small resource tracker of our own, with seeded defects to switch on"""

    modules = ("semafuzz.targets.reference.tracker",)
    surroundings = ("semafuzz.targets.reference.database",)
    refusals = (Refused,)
    roles = ("new", "active")
    instance_arguments: ClassVar[Mapping[str, tuple[str, ...]]] = {"node": NODES}
    faults = (
        FaultInfo("lost", "the database is gone", ("database",), ConnectionError),
        FaultInfo("late", "the database answers too late", ("database save",), TimeoutError),
    )
    options = (
        OptionInfo("total", legal=(4, 12), illegal=(-1,)),
        OptionInfo("defect", legal=(NONE, *NAMES), varied=False),
    )

    def start(self, configuration: Mapping[str, Value]) -> World:
        """Two nodes without instances, and a tracker that has just begun."""
        total = int(configuration["total"] or 0)
        if total < 0:
            raise Refused(f"a node cannot have {total}")
        database = Database(dict.fromkeys(NODES, total))
        return World(database, Tracker(database, seeded(str(configuration["defect"]))))

    def set_up(self, world: World, instance: int, role: str, **arguments: Plain) -> None:
        """A new instance, or an active one of the smallest size."""
        node = str(arguments["node"])
        world.database.rows[instance] = Row("active", node, SIZES[0]) if role == "active" else Row("new")

    @operation(before="new", after="active", node=NODES, size=SIZES, weight=3)
    def claim(self, world: World, instance: int, node: str, size: int) -> None:
        """Build an instance on a node."""
        with _counting(world):
            world.tracker.claim(instance, node, size)

    @operation(before="new", after="active", node=NODES, size=SIZES, weight=2)
    def wait_claim(self, world: World, instance: int, node: str, size: int) -> None:
        """The same, waiting for room where there is none."""
        with _counting(world):
            world.tracker.wait_claim(instance, node, size)

    @operation(before="active", after="new")
    def abort(self, world: World, instance: int) -> None:
        """Take a build back."""
        world.tracker.abort(instance)

    @operation(before="active", after="active", size=SIZES, weight=3)
    def move(self, world: World, instance: int, size: int) -> None:
        """Resize an instance on the other node."""
        with _counting(world):
            world.tracker.move(instance, size)

    @operation(before="active", after="gone", weight=2)
    def drop(self, world: World, instance: int) -> None:
        """Delete an instance."""
        world.tracker.drop(instance)

    @operation(before="active", shared=True, weight=2)
    def update_usage(self, world: World, instance: int) -> None:
        """Look whether an instance was deleted, at any time."""
        world.tracker.update_usage(instance)

    @operation(node=NODES, weight=3)
    def audit(self, world: World, node: str) -> None:
        """Count a node's usage anew."""
        world.tracker.audit(node)

    def check(self, world: World) -> Iterator[Violation]:
        """Memory agrees with the rows, no node has more than it can, all is finished."""
        tracker = world.tracker
        for node in tracker.nodes.values():
            summed = sum(world.database.sizes_on(node.name).values())
            if node.used != summed:
                yield Violation("usage", f"{node.used} is used on {node.name}, the rows add up to {summed}")
            if summed > node.total:
                yield Violation("room", f"the rows on {node.name} add up to {summed}, it has {node.total}")
            if node.waiting:
                yield Violation("waiting", f"{len(node.waiting)} claims still wait for room on {node.name}")
        if tracker.busy:
            yield Violation("busy", f"{tracker.busy} rows count as being saved when none is")
        if tracker.refused != world.refused:
            yield Violation("refusals", f"{tracker.refused} refusals are counted, there were {world.refused}")


@contextmanager
def _counting(world: World) -> Iterator[None]:
    """Count refusals as they pass."""
    try:
        yield
    except Refused:
        world.refused += 1
        raise
