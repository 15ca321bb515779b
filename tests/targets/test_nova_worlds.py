"""The fast world against the real one: the same programs, the same calls, the same rows.

Where the two disagree the fast one is wrong: the real one is Nova's own database layer
and the placement service.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("nova")
pytest.importorskip("placement")

from harness.kernel.outcome import Outcome
from harness.laboratory import Laboratory, open_laboratory
from harness.program import Setting, execute
from harness.schedulers.pct import PCT
from harness.schedulers.serial import Serial
from harness.traces.schema import Operation, Operations
from strategies.feeding import feed
from strategies.scenarios import scenarios
from targets import find_target
from targets.nova.stage import NovaStage
from targets.protocol import ImpossibleStartError, OpenTarget
from targets.scenario import Scenario, describe
from targets.staged import StagedProgram

pytestmark = pytest.mark.nova
Opened = tuple[OpenTarget, Laboratory]
_STAMPS = ("created_at", "updated_at", "deleted_at", "mapped")
_OWN = frozenset(("id", "uuid", "migration_id", "compute_id", "compute_node_id", "dest_compute_id", *_STAMPS))
"""Numbers and stamps that a database gives out in an order of its own."""
_UNSET = frozenset({"nova_object.changes", "nova_object.version"})


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, open_laboratory(opened.modules) as laboratory:
        # What is done once in a process is no difference between worlds.
        setup = (Operation("instance", {"instance": 1, "role": "new", "flavor": 1}),)
        first = Scenario(Operations(setup, ((Operation("claim", {"instance": 1}),),)))
        for world in ("fast", "real"):
            run((opened, laboratory), first, world, 0)
        yield opened, laboratory


def told(value: Any) -> Any:
    """A value of a row without what a database gives out, and without what is not set."""
    if isinstance(value, dict):
        return {
            str(name): told(one)
            for name, one in sorted(value.items(), key=lambda item: str(item[0]))
            if name not in _OWN and name not in _UNSET and one is not None
        }
    if isinstance(value, (list, tuple, set)):
        return [told(one) for one in value]
    return value


def state(program: StagedProgram) -> dict[str, Any]:
    """Every row and allocation that an execution left."""
    assert isinstance(program.stage, NovaStage)
    world = program.stage._world
    rows = {
        f"{table} {number}": told(row)
        for table in ("instance", "migration", "compute_node", "pci_device")
        for number, row in enumerate(world.conductor.tables[table].values())
    }
    consumers = {row["uuid"]: f"migration {number}" for number, row in enumerate(world.conductor.rows("migration"))}
    amounts = {consumers.get(key, key): told(value[1]) for key, value in world.placement.allocations.items()}
    return {**rows, "allocations": amounts}


def calls(outcome: Outcome) -> list[str]:
    """The calls that left the process, in order."""
    return [str(event[3]) for event in outcome.events if str(event[3]).startswith(("conductor ", "placement "))]


def run(nova: Opened, scenario: Scenario, world: str, schedule: int) -> tuple[Any, ...]:
    """What an execution showed and left. ``schedule`` 0: one task after the other."""
    opened, laboratory = nova
    program = opened.program(Scenario(scenario.content, {**scenario.configuration, "world": world}, scenario.faults))
    assert isinstance(program, StagedProgram)
    scheduler: Any = Serial(range(len(scenario.content.tasks))) if not schedule else PCT(schedule, 2)
    scheduler.begin(0)
    outcome = execute(program, scheduler, Setting(bytearray(b"\1" * (1 << 17)), "threads", 0))
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


def compare(nova: Opened, scenario: Scenario, schedule: int) -> None:
    fast, real = (run(nova, scenario, world, schedule) for world in ("fast", "real"))
    about = f"{describe(scenario)}, schedule {schedule}"
    assert fast[0] == real[0], about
    assert fast[1] == real[1], about
    assert [*differences("", fast[2], real[2])] == [], about
    assert fast[3] == real[3], "a schedule of one world must fit the other"


def compare_many(nova: Opened, seed: int, most: int) -> None:
    done: list[Scenario] = []

    def consume(scenario: Scenario) -> bool:
        for schedule in (0, seed + 1):
            try:
                compare(nova, scenario, schedule)
            except ImpossibleStartError:
                continue
            done.append(scenario)
        return True

    feed(scenarios(find_target("nova")), consume, seed=seed, most=most)
    assert len(done) > most
    assert any(scenario.faults for scenario in done)


def test_random_programs_do_the_same_in_both_worlds(nova: Opened) -> None:
    compare_many(nova, 0, 12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_many_random_programs_do_the_same_in_both_worlds(nova: Opened, seed: int) -> None:
    compare_many(nova, seed, 100)


def test_the_comparison_notices_a_difference(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    from targets.nova.conductor import Conductor

    setup = (Operation("instance", {"instance": 1, "role": "new", "flavor": 1}),)
    scenario = Scenario(Operations(setup, ((Operation("claim", {"instance": 1}),),)))
    compare(nova, scenario, 0)
    real = Conductor.do_Instance_save

    def forgetful(self: Conductor, context: Any, instance: Any, *args: Any, **kwargs: Any) -> Any:
        answer = real(self, context, instance, *args, **kwargs)
        self.tables["instance"][instance.uuid]["task_state"] = None
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Conductor, "do_Instance_save", forgetful)
        opened = find_target("nova")
        with opened.open() as again, pytest.raises(AssertionError):
            compare((again, nova[1]), scenario, 0)


def test_start_states_come_back(nova: Opened) -> None:
    """An execution leaves nothing to the next one, in the real world too."""
    setup = (Operation("instance", {"instance": 1, "role": "incoming", "flavor": 11}),)
    scenario = Scenario(Operations(setup, ((Operation("resize_claim", {"instance": 1}),), (Operation("audit"),))))
    first = run(nova, scenario, "real", 3)
    assert run(nova, scenario, "real", 4)[2]
    assert run(nova, scenario, "real", 3) == first
