"""The tracker's operations one after the other: no invariant may complain.

An oracle that is wrong about a serial run would call everything a finding.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.replay_run import recheck
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.nova.world.flavors import SIMPLEST_FIRST

pytestmark = pytest.mark.nova
Opened = tuple[OpenTarget, ControlledSession]


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        assert laboratory.uncontrolled_reason == ""
        yield opened, laboratory


def setting() -> ExecutionConfig:
    return ExecutionConfig(bytearray(1 << 17))


def content(role: str, flavor: int, *names: str, beside: tuple[str, ...] = ("audit",)) -> Operations:
    instance = Operation("instance", {"instance": 1, "role": role, "flavor": flavor})
    tasks = (tuple(Operation(name, {"instance": 1}) for name in names), tuple(Operation(name) for name in beside))
    return Operations((instance,), tasks)


FAULT = Operation("conductor_timeout", {"task": 0, "call": 9})
LIFE = [
    ("new", ("claim", "update_usage", "delete")),
    ("new", ("claim_abort",)),
    ("active", ("update_usage", "delete")),
    ("incoming", ("resize_claim", "drop_move_claim")),
    ("incoming", ("resize_claim_abort",)),
    ("arriving", ("drop_move_claim",)),
    ("arrived", ("drop_move_claim_at_dest",)),
    ("leaving", ("drop_move_claim_at_source",)),
]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("flavor", [1, 3, 6, 7, 9, 13])
@pytest.mark.parametrize(("role", "names"), LIFE)
def test_serial_orders_break_nothing(
    nova: Opened, role: str, names: tuple[str, ...], flavor: int, order: tuple[int, int]
) -> None:
    program = nova[0].program(Scenario(content(role, flavor, *names)))
    assert program.execute(SerialOrder(order), setting()).failures == []


@pytest.mark.slow
@pytest.mark.parametrize("flavor", sorted(set(SIMPLEST_FIRST) - {1, 3, 6, 7, 9, 13}))
@pytest.mark.parametrize(("role", "names"), LIFE)
def test_so_with_every_flavor(nova: Opened, role: str, names: tuple[str, ...], flavor: int) -> None:
    program = nova[0].program(Scenario(content(role, flavor, *names)))
    assert program.execute(SerialOrder((0, 1)), setting()).failures == []


def test_sections_and_boundaries_are_in_the_event_stream(nova: Opened) -> None:
    program = nova[0].program(Scenario(content("new", 1, "claim")))
    events = program.execute(SerialOrder((0, 1)), setting()).events
    sections = [(event[0], event[3]) for event in events if event[0] in (op.ENTER, op.EXIT)]
    assert (op.ENTER, "host1/compute_resources") in sections
    assert sections.count((op.ENTER, "host1/compute_resources")) == sections.count((op.EXIT, "host1/compute_resources"))
    calls = {str(event[3]) for event in events if event[0] == op.IO}
    assert {"conductor Instance.save", "conductor Instance.save done"} <= calls
    assert any(call.startswith("placement GET") for call in calls)
    assert any(call.startswith("hypervisor") for call in calls)
    writes = [event for event in events if event[0] in op.WRITES]
    assert any(event[3] == "memory_mb_used" for event in writes)


def test_the_lock_excludes(nova: Opened) -> None:
    """Two locked sections never overlap, whatever the schedule."""
    program = nova[0].program(Scenario(content("new", 1, "claim", beside=("audit", "audit"))))
    scheduler = RandomWalk(3)
    shared = setting()
    switched = 0
    for number in range(10):
        scheduler.begin(number)
        outcome = program.execute(scheduler, shared)
        inside: set[int] = set()
        for kind, task, _, name, _ in outcome.events:
            if name != "host1/compute_resources":
                continue
            if kind == op.ENTER:
                assert not inside
                inside.add(task.index)
            elif kind == op.EXIT:
                inside.remove(task.index)
        switched += len(outcome.decisions)
    assert switched > 10


def test_the_lost_count_of_failed_builds_is_found_by_exploring(nova: Opened) -> None:
    made = Operations((), ((Operation("audit"),), (Operation("build_failed"),)))
    program = nova[0].program(Scenario(made))
    search = Exploration(program, make_scheduler("portfolio", 0), nova[1], schedules=500)
    result = search.run()
    assert [finding.kind for finding in result.failures] == ["invariant"]
    found = result.failures[0]
    assert found.confirmed
    assert found.severity == "error"
    assert found.preemptions == 1
    assert set(found.operations) == {"audit()", "build_failed()"}
    assert all("nova.compute" in place for place in found.places)


def test_builds_that_fail_one_after_the_other_are_counted(nova: Opened) -> None:
    made = Operations((), ((Operation("build_failed"), Operation("build_failed")), (Operation("audit"),)))
    program = nova[0].program(Scenario(made))
    for order in ((0, 1), (1, 0)):
        assert program.execute(SerialOrder(order), setting()).failures == []


@pytest.mark.parametrize("model", ["threads", "eventlet"])
@pytest.mark.parametrize(("flavor", "faults"), [(3, ()), (13, (FAULT,)), (7, (FAULT,))])
def test_runs_are_deterministic(nova: Opened, model: str, flavor: int, faults: tuple[Operation, ...]) -> None:
    program = nova[0].program(Scenario(content("new", flavor, "claim", "delete"), {}, faults))
    shared = ExecutionConfig(bytearray(1 << 17), model)
    scheduler = RandomWalk(1)
    for number in range(3):
        scheduler.begin(number)
        outcome = program.execute(scheduler, shared)
        recheck(program, outcome, shared)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Operations((), ((Operation("explode"),),)), "no operation 'explode'"),
        (Operations((), ((Operation("claim", {"instance": 1}),),)), "set-up does not make"),
        (Operations((), ((Operation("audit", {"instance": 1}),),)), "takes"),
        (Operations((Operation("boot"),), ()), "no set-up"),
        (Operations((Operation("instance", {"instance": 1, "role": "odd", "flavor": 1}),), ()), "not one of"),
        (Operations((Operation("instance", {"instance": 1, "role": "new", "flavor": 99}),), ()), "not one of"),
    ],
)
def test_programs_that_are_none_are_refused(nova: Opened, broken: Operations, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        nova[0].program(Scenario(broken))


def test_an_unknown_release_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be driven"), find_target("nova").open("1.0.0"):
        pass
