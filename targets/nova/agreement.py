"""Agreement of the fast world with the real one: the same program under the same
schedule, the same calls, the same rows, the same events.

Where the two disagree the fast one is wrong: the real one is Nova's own database layer
and the placement service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.pct import PCT
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.stage import NovaStage

Opened = tuple[OpenTarget, ControlledSession]
_STAMPS = ("created_at", "updated_at", "deleted_at", "mapped")
_OWN = frozenset(("id", "uuid", "migration_id", "compute_id", "compute_node_id", "dest_compute_id", *_STAMPS))
"""Numbers and stamps that a database gives out in an order of its own."""
_UNSET = frozenset({"nova_object.changes", "nova_object.version"})


def told(value: Any, names: Mapping[str, str] = MappingProxyType({})) -> Any:
    """A value of a row without what a database gives out, and without what is not set. ``names``: what is said for
    uuids that are drawn."""
    if isinstance(value, dict):
        return {
            names.get(str(name), str(name)): told(one if name != "rp_uuid" else names.get(one, "gone"), names)
            for name, one in sorted(value.items(), key=lambda item: str(item[0]))
            if name not in _OWN and name not in _UNSET and one is not None
        }
    if isinstance(value, (list, tuple, set)):
        return [told(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def state(program: StagedProgram) -> dict[str, Any]:
    """Every row and allocation that an execution left."""
    assert isinstance(program.stage, NovaStage)
    world = program.stage._world
    drawn = world.placement.nested_providers()
    rows = {
        f"{table} {number}": told(row, drawn)
        for table in ("instance", "migration", "compute_node", "pci_device")
        for number, row in enumerate(world.conductor.tables[table].values())
    }
    consumers = {row.get("uuid"): f"migration {number}" for number, row in enumerate(world.conductor.rows("migration"))}
    amounts = {consumers.get(key, key): told(value[1], drawn) for key, value in world.placement.allocations.items()}
    return {**rows, "allocations": amounts}


def calls(outcome: Outcome) -> list[str]:
    """The calls that left the process, in order."""
    return [str(event[3]) for event in outcome.events if str(event[3]).startswith(("conductor ", "placement "))]


def run(nova: Opened, scenario: Scenario, world: str, schedule: int) -> tuple[Any, ...]:
    """What an execution showed and left. ``schedule`` 0: one task after the other."""
    opened, laboratory = nova
    program = opened.program(Scenario(scenario.content, {**scenario.configuration, "world": world}, scenario.faults))
    assert isinstance(program, StagedProgram)
    assert isinstance(program.stage, NovaStage)
    # A state that was judged before is not audited again, and what an audit writes is compared.
    program.stage.forget_judgements()
    scheduler: Any = SerialOrder(range(len(scenario.content.tasks))) if not schedule else PCT(schedule, 2)
    scheduler.begin(0)
    outcome = execute(program, scheduler, ExecutionConfig(bytearray(b"\1" * (1 << 17)), "threads", 0))
    laboratory.control.between_executions()
    assert not outcome.uncontrolled
    failures = [(failure.kind, failure.error_type, failure.severity) for failure in outcome.failures]
    return calls(outcome), failures, state(program), [event[0] for event in outcome.events]


def differences(path: str, fast: Any, real: Any) -> Iterator[str]:
    """Where two states differ."""
    if isinstance(fast, dict) and isinstance(real, dict):
        for name in sorted({*fast, *real}):
            yield from differences(f"{path}/{name}", fast.get(name), real.get(name))
    elif isinstance(fast, list) and isinstance(real, list) and len(fast) == len(real):
        for number, (one, other) in enumerate(zip(fast, real, strict=True)):
            yield from differences(f"{path}/{number}", one, other)
    elif fast != real:
        yield f"{path}: {fast!r} in the fast world, {real!r} in the real one"


def disagreements(nova: Opened, scenario: Scenario, schedule: int) -> list[str]:
    """What the two worlds do differently, in words; empty where they agree. ``schedule``
    0: one task after the other; else the seed of a random one."""
    fast, real = (run(nova, scenario, world, schedule) for world in ("fast", "real"))
    said = []
    for what, one, other in zip(("calls", "failures"), fast, real, strict=False):
        if one != other:
            at = next((at for at, both in enumerate(zip(one, other, strict=False)) if both[0] != both[1]), -1)
            said.append(f"{what} from {at}: {one[at : at + 3]} in the fast world, {other[at : at + 3]} in the real one")
    said += differences("", fast[2], real[2])
    if not said and fast[3] != real[3]:
        said.append(f"a schedule of one does not fit the other: {len(fast[3])} and {len(real[3])} events")
    return said
