"""Moves that somebody calls off or ends twice, ports with devices in moves, and what can be done after a failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

pytest.importorskip("nova")

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.world.names import HERE, OTHER
from semafuzz.targets.nova.world.network import port_of
from semafuzz.targets.nova.world.roles import role_of
from tests.targets.nova.programs import program, world_of

pytestmark = pytest.mark.nova
WORLDS = pytest.mark.parametrize("kind", ["fast", "real"])


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened, controlled_session(opened.modules, instrument=False):
        yield opened


def outcomes(made: StagedProgram, many: int = 60) -> Iterator[Outcome]:
    scheduler = make_scheduler("portfolio", 1)
    for number in range(many):
        assert scheduler.begin(number)
        outcome = execute(made, scheduler, ExecutionConfig(bytearray(b"\1" * (1 << 17)), "threads"))
        scheduler.end(outcome)
        yield outcome


def alone(made: StagedProgram) -> Outcome:
    return execute(made, SerialOrder((0,)), ExecutionConfig(bytearray(1 << 17), "threads"))


def operations(outcome: Outcome) -> list[str]:
    return [str(event[3]) for event in outcome.events if event[0] == op.OPERATION]


def test_a_live_migration_is_called_off_at_each_stage(nova: OpenTarget) -> None:
    made = program(nova, "live_migrate_away", "abort_migration_away")
    ends: Counter[tuple[str, str]] = Counter()
    for outcome in outcomes(made, 100):
        assert not [one for one in outcome.failures if one.severity == "error"], outcome.failures
        world = world_of(made)
        row = world.conductor.tables["instance"][world.uuid(1)]
        ends[world.conductor.rows("migration")[-1]["status"], row["host"]] += 1
    assert set(ends) == {("completed", OTHER.host), ("cancelled", HERE.host)}


@WORLDS
def test_there_is_nothing_to_call_off(nova: OpenTarget, kind: str) -> None:
    made = program(nova, "abort_migration_away,terminate", kind=kind)
    outcome = alone(made)
    assert outcome.failures == []
    assert operations(outcome) == ["abort_migration_away(1)", "terminate(1)"], "the instance is where it was"


def test_a_resize_that_is_confirmed_twice(nova: OpenTarget) -> None:
    """Nova's manager looks at the state of the migration that came with the message, not at the record."""
    made = program(nova, "confirm_away", "confirm_again")
    found = {one.error_type for outcome in outcomes(made) for one in outcome.failures}
    assert found == {"AttributeError"}
    assert alone(program(nova, "confirm_away,confirm_again")).failures == []


@WORLDS
@pytest.mark.parametrize("name", ["live_migrate_away", "resize_away", "evacuate_here", "shelve", "unshelve"])
def test_a_port_keeps_its_device_in_a_move(nova: OpenTarget, name: str, kind: str) -> None:
    made = program(nova, name, flavor=17, kind=kind)
    outcome = alone(made)
    assert not [one for one in outcome.failures if one.severity == "error"], outcome.failures
    world = world_of(made)
    instance = world.conductor.tables["instance"][world.uuid(1)]
    device = world.conductor.device_of(world.uuid(1), port_of(world.uuid(1)), instance["host"])
    assert (device is None) == (name == "shelve")


@WORLDS
def test_an_instance_goes_on_after_a_move_that_failed(nova: OpenTarget, kind: str) -> None:
    """The destination does not answer: the conductor gives the move up, and the instance is where it was."""
    fault = Operation("hypervisor_error", {"task": 0, "call": 1})
    made = program(nova, "live_migrate_away,resize_away,confirm_away", kind=kind, faults=(fault,))
    outcome = alone(made)
    assert operations(outcome) == ["live_migrate_away(1)", "resize_away(1)", "confirm_away(1)"]
    assert role_of(world_of(made), 1) == "there"
    # One that ends in the state of an error can be deleted, and nothing else.
    fault = Operation("conductor_timeout", {"task": 0, "call": 5})
    made = program(nova, "resize_away,confirm_away,terminate", kind=kind, faults=(fault,))
    done = operations(alone(made))
    assert done[0] == "resize_away(1)"
    assert "confirm_away(1)" not in done
