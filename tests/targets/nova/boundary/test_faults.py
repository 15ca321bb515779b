"""Faults at the boundaries of the Nova world: what they leave, and what they reveal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.boundary.calls import concerns_provider, failure
from semafuzz.targets.nova.boundary.faults import (
    FAULTS,
    AnswerError,
    FlavorsGoneError,
    RowGoneError,
    StaleReadError,
    name_cause,
)
from semafuzz.targets.nova.operations.table import HOST, NODE
from semafuzz.targets.nova.stage import NovaStage

pytestmark = pytest.mark.nova
Opened = tuple[OpenTarget, ControlledSession]
TABLE = {info.name: info for info in FAULTS}
SETTING = ExecutionConfig(bytearray(1 << 17))


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        yield opened, laboratory


def with_fault(nova: Opened, role: str, name: str, fault: str, call: int, flavor: int = 1) -> StagedProgram:
    setup = (Operation("instance", {"instance": 1, "role": role, "flavor": flavor}),)
    content = Operations(setup, ((Operation(name, {"instance": 1} if name != "audit" else {}),),))
    program = nova[0].program(Scenario(content, {}, (Operation(fault, {"task": 0, "call": call}),)))
    assert isinstance(program, StagedProgram)
    return program


def run(program: StagedProgram) -> tuple[Outcome, str, Any]:
    """The outcome, where the fault happened ("" if nowhere), and the world after it."""
    outcome = program.execute(SerialOrder((0,)), SETTING)
    notes = [str(event[3]) for event in outcome.events if event[0] == op.NOTE]
    place = next((note.partition(" at ")[2] for note in notes if note.startswith("fault ")), "")
    assert isinstance(program.stage, NovaStage)
    return outcome, place, program.stage._world


def names(outcome: Outcome) -> list[tuple[str, str]]:
    return [(failure.severity, failure.error_type) for failure in outcome.failures]


def test_each_fault_is_what_a_compute_service_sees(nova: Opened) -> None:
    from keystoneauth1.exceptions import ConnectFailure
    from nova import exception
    from oslo_messaging.exceptions import MessagingTimeout
    from oslo_messaging.rpc.client import RemoteError

    wanted = {
        "db_deadlock": RemoteError,
        "conductor_timeout": MessagingTimeout,
        "instance_gone": RowGoneError,
        "migration_gone": RowGoneError,
        "flavors_gone": FlavorsGoneError,
        "replica_lags": StaleReadError,
        "placement_conflict": AnswerError,
        "placement_error": AnswerError,
        "placement_unreachable": ConnectFailure,
        "hypervisor_error": exception.HypervisorUnavailable,
    }
    assert {name: type(info.error("call")) for name, info in TABLE.items()} == wanted
    assert "DBDeadlock" in str(TABLE["db_deadlock"].error("call"))


@pytest.mark.parametrize(
    ("name", "fits", "not_there"),
    [
        ("db_deadlock", "conductor Instance.save", "conductor Instance.save done"),
        ("db_deadlock", "conductor ComputeNode.save", "conductor InstanceList.get_by_host_and_node"),
        ("conductor_timeout", "conductor Instance.save done", "placement GET traits"),
        ("instance_gone", "conductor Instance.get_by_uuid", "conductor InstanceList.get_by_host_and_node"),
        ("migration_gone", "conductor Migration.save", "conductor Migration.save done"),
        ("placement_conflict", "placement PUT allocations_id", "placement GET allocations_id"),
        ("placement_error", "placement GET allocations_id", "placement GET allocations_id done"),
        ("hypervisor_error", "hypervisor get_available_resource", "conductor Instance.save"),
    ],
)
def test_where_faults_happen(name: str, fits: str, not_there: str) -> None:
    assert TABLE[name].fits(fits)
    assert not TABLE[name].fits(not_there)


def test_a_time_out_leaves_the_call_performed_or_not(nova: Opened) -> None:
    """The build's own save, and its answer; the manager then removes the allocation."""
    states = []
    for call in (1, 2):
        outcome, place, world = run(with_fault(nova, "new", "claim", "conductor_timeout", call))
        assert names(outcome) == [("warning", "I20 stuck building")], "and nobody will ever build it"
        row = world.conductor.tables["instance"][world.uuid(1)]
        states.append((place, row["vm_state"], row["task_state"], world.uuid(1) in world.placement.allocations))
    assert states == [
        ("conductor Instance.save", "building", None, False),
        ("conductor Instance.save done", "building", None, False),
    ]


@pytest.mark.parametrize(
    ("fault", "call", "told"),
    [("db_deadlock", 1, [("warning", "I20 stuck building")]), ("placement_unreachable", 1, [])],
)
def test_what_fails_before_the_claim_leaves_nothing(
    nova: Opened, fault: str, call: int, told: list[tuple[str, str]]
) -> None:
    outcome, place, world = run(with_fault(nova, "new", "claim", fault, call))
    assert place
    assert names(outcome) == told
    assert world.hosts[HOST].tracker.compute_nodes[NODE].memory_mb_used == (0 if fault == "db_deadlock" else 64)


def test_a_gone_instance_takes_its_records_along(nova: Opened) -> None:
    outcome, place, world = run(with_fault(nova, "leaving", "drop_move_claim_at_source", "instance_gone", 1))
    assert (outcome.failures, place) == ([], "conductor Instance.get_by_uuid")
    assert world.conductor.tables["instance"][world.uuid(1)]["deleted"]
    assert world.conductor.rows("migration") == []
    assert world.uuid(1) not in world.placement.allocations


def test_what_the_migration_of_a_gone_instance_holds_is_left_to_it(nova: Opened) -> None:
    """The API deletes the allocation of the instance alone, so that a revert finds the other one, and moves it."""
    program = with_fault(nova, "arrived", "drop_move_claim_at_dest", "instance_gone", 3)
    outcome, place, world = run(program)
    assert (outcome.failures, bool(place)) == ([], True)
    (migration,) = world.conductor.tables["migration"].values()
    assert {world.uuid(1), migration["uuid"]} & set(world.placement.allocations)


def test_a_gone_migration_is_gone_with_its_instance(nova: Opened) -> None:
    """Nova writes to a migration whether it is deleted or not: nothing fails."""
    outcome, place, world = run(with_fault(nova, "incoming", "resize_claim", "migration_gone", 1))
    assert (outcome.failures, place) == ([], "conductor Migration.save")
    assert world.conductor.rows("instance") == world.conductor.rows("migration") == []


@pytest.mark.parametrize("kind", ["fast", "real"])
def test_flavors_of_a_resize_that_are_gone_are_not_counted(nova: Opened, kind: str) -> None:
    """An audit goes on without them; where they are there it counts what the resize holds."""
    setup = (Operation("instance", {"instance": 1, "role": "leaving", "flavor": 1}),)
    content = Operations(setup, ((Operation("audit"),),))
    used = []
    for faults in ((), (Operation("flavors_gone", {"task": 0, "call": 1}),)):
        program = nova[0].program(Scenario(content, {"world": kind}, faults))
        assert isinstance(program, StagedProgram)
        outcome, place, world = run(program)
        assert outcome.failures == []
        assert bool(place) == bool(faults)
        used.append(world.node_row(NODE)["memory_mb_used"])
    assert used == [64, 0]


@pytest.mark.parametrize("kind", ["fast", "real"])
@pytest.mark.parametrize(
    ("role", "tasks", "faulty"),
    [("incoming", [["audit", "resize_claim"]], 0), ("there", [["resize_here"], ["audit"]], 1)],
)
def test_flavors_of_a_resize_that_was_just_asked_for_are_there(
    nova: Opened, kind: str, role: str, tasks: list[list[str]], faulty: int
) -> None:
    """The request has written them: an audit beside it takes nothing away, nor one once the resize waits."""
    setup = (Operation("instance", {"instance": 1, "role": role, "flavor": 1}),)
    made = [[Operation(name, {} if name == "audit" else {"instance": 1}) for name in names] for names in tasks]
    faults = (Operation("flavors_gone", {"task": faulty, "call": 1}),)
    program = nova[0].program(Scenario(Operations(setup, tuple(map(tuple, made))), {"world": kind}, faults))
    assert isinstance(program, StagedProgram)
    outcome, place, world = run(program)
    assert (outcome.failures, bool(place)) == ([], True)
    assert world.instance(1, world.context()).new_flavor is not None


@pytest.mark.parametrize("kind", ["fast", "real"])
@pytest.mark.parametrize(
    ("role", "tasks"),
    [
        ("arrived", [["audit", "revert_here"]]),
        ("arrived", [["audit", "drop_move_claim_at_dest"]]),
        ("leaving", [["audit"]]),
    ],
)
def test_what_is_left_of_a_resize_without_flavors_is_no_defect(
    nova: Opened, kind: str, role: str, tasks: list[list[str]]
) -> None:
    """The API refuses to revert it, and its devices stay where they are, since nobody knows how many it is to have."""
    setup = (Operation("instance", {"instance": 1, "role": role, "flavor": 11}),)
    made = [[Operation(name, {} if name == "audit" else {"instance": 1}) for name in names] for names in tasks]
    faults = (Operation("flavors_gone", {"task": 0, "call": 1}),)
    program = nova[0].program(Scenario(Operations(setup, tuple(map(tuple, made))), {"world": kind}, faults))
    assert isinstance(program, StagedProgram)
    outcome, place, world = run(program)
    assert (outcome.failures, bool(place)) == ([], True)
    (row,) = world.conductor.rows("instance")
    assert (row["vm_state"], row["task_state"]) == ("resized", None)


def test_a_class_that_is_there_already_is_no_conflict() -> None:
    conflict = next(fault for fault in FAULTS if fault.name == "placement_conflict")
    fitting = [
        "PUT resource_providers_id_inventories",
        "PUT allocations_id",
        "POST reshaper",
        "POST resource_providers",
    ]
    assert all(conflict.fits(f"placement {call}") for call in fitting)
    assert not any(conflict.fits(f"placement PUT {name}") for name in ("resource_classes_id", "traits_id"))


CLIENT = """
def _refresh_associations(answer):
    return answer.aggregates

def _surprise(answer):
    return answer.aggregates
"""


def test_none_that_the_client_takes_apart_on_purpose_is_named_as_the_fault() -> None:
    client: dict[str, Any] = {}
    exec(compile(CLIENT, "site-packages/nova/scheduler/client/report.py", "exec"), client)
    for name, answered, expected in (
        ("_refresh_associations", ConnectionError("no answer"), True),
        ("_refresh_associations", None, False),
        ("_surprise", ConnectionError("no answer"), False),
    ):
        with pytest.raises(AttributeError) as raised:
            client[name](None)
        name_cause(raised.value, answered)
        assert (raised.value.__cause__ is not None) == expected


@pytest.mark.parametrize("kind", ["fast", "real"])
def test_a_replica_that_lags_does_not_know_a_new_node(nova: Opened, kind: str) -> None:
    """The manager then forgets what its tracker keeps of the node, and audits it anew."""
    content = Operations((), ((Operation("node_appears"), Operation("audit_all")),))
    found = []
    for faults in ((), (Operation("replica_lags", {"task": 0, "call": 1}),)):
        program = nova[0].program(Scenario(content, {"world": kind}, faults))
        assert isinstance(program, StagedProgram)
        outcome, place, world = run(program)
        assert outcome.failures == []
        assert len(world.conductor.rows("compute_node")) == 3
        found.append([str(event[3]) for event in outcome.events if event[0] == op.IO])
        assert bool(place) == bool(faults)
    assert found[0].count("conductor ComputeNode.get_by_uuid") < found[1].count("conductor ComputeNode.get_by_uuid")


def test_a_conflict_is_an_answer(nova: Opened) -> None:
    """The report client raises AllocationDeleteFailed for it: expected, with the fault as its cause."""
    outcome, place, world = run(with_fault(nova, "leaving", "drop_move_claim_at_source", "placement_conflict", 1))
    assert place.startswith("placement PUT allocations")
    assert not [failure for failure in outcome.failures if failure.kind == "exception"]
    assert world.conductor.rows("instance")[0]["vm_state"] == "error"


def test_conflicts_and_errors_as_answers() -> None:
    provider, consumer = "placement PUT resource_providers_id_traits", "placement PUT allocations_id"
    answer = failure(AnswerError(409), provider)
    assert answer.status_code == 409
    assert (answer.json() or {})["errors"][0]["code"] == "placement.concurrent_update"
    assert [concerns_provider(AnswerError(409), call) for call in (provider, consumer)] == [True, False]
    assert "consumer generation conflict" in failure(AnswerError(409), consumer).text
    assert [failure(AnswerError(500), call).status_code for call in (provider, consumer)] == [500, 500]


def test_the_cause_is_named_for_the_client_s_own_exceptions_only() -> None:
    class AllocationDeleteFailed(Exception):
        pass

    fault = AnswerError(500)
    translated, other = AllocationDeleteFailed(), KeyError("node1")
    name_cause(translated, fault)
    name_cause(other, fault)
    assert translated.__cause__ is fault
    assert other.__cause__ is None


@pytest.mark.parametrize("call", [1, 3])
def test_what_is_no_fault_s_doing_stays_a_failure(nova: Opened, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """A handler that breaks while it handles a fault (call 1), or without one (never met)."""
    from semafuzz.targets.nova.operations.reenacted.manager import ReenactedManager

    def broken(self: ReenactedManager, context: object, uuid: str) -> None:
        raise KeyError("node1")

    monkeypatch.setattr(ReenactedManager, "drop_allocation", broken)
    role, name = ("new", "claim") if call == 1 else ("active", "delete")
    outcome, _, _ = run(with_fault(nova, role, name, "db_deadlock" if call == 1 else "hypervisor_error", call))
    assert ("error", "KeyError") in names(outcome)


def test_a_claim_is_rolled_back_after_a_fault(nova: Opened) -> None:
    program = with_fault(nova, "new", "claim", "db_deadlock", 4, flavor=3)
    outcome, place, _ = run(program)
    assert (place, names(outcome)) == ("conductor Instance.save", [])


def test_a_tracker_that_forgets_to_roll_back_is_noticed(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The positive control: the same fault, with an abort that does nothing."""
    from nova.compute import claims

    program = with_fault(nova, "new", "claim", "db_deadlock", 4, flavor=3)
    monkeypatch.setattr(claims.Claim, "abort", lambda self: None)
    outcome, _, _ = run(program)
    failure = outcome.failures[0]
    assert failure.severity == "warning"
    assert {"I1 memory_mb_used", "I6 pinned_cpus", "I11 tracked"} <= set(failure.error_type.split(", "))
