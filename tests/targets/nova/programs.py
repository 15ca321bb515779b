"""Programs of Nova's operations by their names, and the world that one has left."""

from __future__ import annotations

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.operations.table import TABLE
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.world import World


def program(
    nova: OpenTarget, *tasks: str, flavor: int = 1, kind: str = "fast", faults: tuple[Operation, ...] = ()
) -> StagedProgram:
    """Tasks of operations, ``a,b`` one after the other, all on one instance."""
    named = [[TABLE[name] for name in task.split(",")] for task in tasks]
    role = next((spec.before for task in named for spec in task if spec.arguments), "active")
    setup = (Operation("instance", {"instance": 1, "role": role, "flavor": flavor}),)
    made = tuple(
        tuple(Operation(spec.name, {"instance": 1} if spec.arguments else {}) for spec in task) for task in named
    )
    scenario = Scenario(Operations(setup, made), {"world": kind}, faults)
    opened = nova.program(scenario)
    assert isinstance(opened, StagedProgram)
    return opened


def world_of(made: StagedProgram) -> World:
    assert isinstance(made.stage, NovaStage)
    return made.stage._world
