"""A service that is killed and started anew: what is lost, what stays, and what is judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("nova")

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.boundary.process import Process, ProcessEndedError, die_if_killed, running_in
from semafuzz.targets.nova.operations.table import TABLE
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.names import HERE

pytestmark = pytest.mark.nova
RESTART = (Operation("restart"),)


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened, controlled_session(opened.modules, instrument=False):
        yield opened


def program(
    nova: OpenTarget, name: str, flavor: int, after: tuple[Operation, ...] = (), faults: tuple[Operation, ...] = ()
) -> StagedProgram:
    setup = (Operation("instance", {"instance": 1, "role": TABLE[name].before or "active", "flavor": flavor}),)
    first = (Operation(name, {"instance": 1} if TABLE[name].arguments else {}),)
    made = nova.program(Scenario(Operations(setup, (first, RESTART + after)), {}, faults))
    assert isinstance(made, StagedProgram)
    return made


def outcomes(made: StagedProgram, most: int = 120) -> Iterator[Outcome]:
    """The kill at each lock and call of the first task."""
    scheduler, setting = OneChangeSweep(), ExecutionConfig(bytearray(1 << 17))
    for number in range(most):
        if not scheduler.begin(number):
            return
        outcome = made.execute(scheduler, setting)
        scheduler.end(outcome)
        assert not outcome.uncontrolled
        yield outcome


def notes(outcome: Outcome) -> list[tuple[int, str, int]]:
    """Where operations begin and end: the kind, the operation, the number of the event."""
    kinds = (op.OPERATION, op.OPERATION_END)
    return [(event[0], str(event[3]), number) for number, event in enumerate(outcome.events) if event[0] in kinds]


def found(made: StagedProgram) -> set[str]:
    return {failure.error_type for outcome in outcomes(made) for failure in outcome.failures}


def test_a_process_that_was_killed_does_nothing_more() -> None:
    process = Process()
    die_if_killed()
    with running_in(process):
        die_if_killed()
        process.kill()
        with pytest.raises(ProcessEndedError):
            die_if_killed()
    with pytest.raises(ProcessEndedError), running_in(process):
        raise UnboundLocalError("whatever the unwinding makes of it")
    with pytest.raises(KeyError), running_in(Process()):
        raise KeyError("of one that runs")


def test_who_waits_for_a_process_goes_on_when_it_is_up_or_gone() -> None:
    for end in (Process.up, Process.kill):
        process = Process(starting=True)
        end(process)
        process.wait()


@pytest.mark.parametrize("name", ["audit", "claim", "boot", "terminate", "rebuild"])
def test_a_kill_at_any_call_leaves_nothing_wrong(nova: OpenTarget, name: str) -> None:
    assert found(program(nova, name, 3)) == set()


@pytest.mark.slow
def test_functions_that_are_saved_one_by_one(nova: OpenTarget) -> None:
    assert found(program(nova, "claim", 12)) == {"I8 parent"}
    assert found(program(nova, "delete", 14)) == {"I8 parent"}
    assert found(program(nova, "claim", 11)) == set()


def test_an_operation_that_was_killed_writes_nothing_more(nova: OpenTarget) -> None:
    killed = 0
    for outcome in outcomes(program(nova, "claim", 1)):
        at = {(kind, text): number for kind, text, number in notes(outcome)}
        end = at[op.OPERATION_END, "restart()"]
        begun, ended = at[op.OPERATION, "claim(1)"], at[op.OPERATION_END, "claim(1)"]
        if not begun < at[op.OPERATION, "restart()"] < ended:
            continue
        calls = [
            str(event[3])
            for event in outcome.events[end:]
            if event[0] == op.IO and event[1].index == 0 and ("save" in str(event[3]) or "PUT" in str(event[3]))
        ]
        killed += 1
        # One that was on its way arrives; its answer has nobody to go to.
        assert len({call.removesuffix(" done") for call in calls}) <= 1
    assert killed > 5


def test_what_comes_after_is_done_by_the_new_process(nova: OpenTarget) -> None:
    made = program(nova, "audit", 3, (Operation("update_usage", {"instance": 1}), Operation("audit")))
    assert found(made) == set()
    assert isinstance(made.stage, NovaStage)
    assert not made.stage._world.hosts[HERE.host].process.ended


def test_whoever_finds_a_process_gone_finds_the_next(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    made = program(nova, "audit", 1)
    assert isinstance(made.stage, NovaStage)
    world, kill, replaced = made.stage._world, Process.kill, []

    def watched(process: Process) -> None:
        replaced.append(world.hosts[HERE.host].process is not process)
        kill(process)

    monkeypatch.setattr(Process, "kill", watched)
    assert next(outcomes(made)).failures == []
    assert replaced == [True]


def test_a_start_that_fails_once_is_tried_again(nova: OpenTarget) -> None:
    fault = Operation("conductor_timeout", {"task": 1, "call": 6})
    for outcome in outcomes(program(nova, "build_failed", 1, faults=(fault,)), 12):
        assert any(event[0] == op.NOTE and str(event[3]).startswith("fault ") for event in outcome.events)
        assert outcome.failures == []


def test_a_message_is_handled_by_the_manager_that_is_there_then(
    nova: OpenTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nova.compute.manager import ComputeManager

    made = program(nova, "audit", 1)
    assert isinstance(made.stage, NovaStage)
    made.stage.restore()
    world = made.stage._world
    host, on = world.hosts[HERE.host], world.on

    def on_a_new_one(name: str, function: Any, *arguments: Any) -> Any:
        host.tracker = host.new_tracker()
        return on(name, function, *arguments)

    monkeypatch.setattr(world, "on", on_a_new_one)
    monkeypatch.setattr(ComputeManager, "who", lambda self, context: self.rt, raising=False)
    assert world.bus._deliver({}, HERE.host, "who") is host.tracker


def test_a_build_that_nobody_has_begun_is_no_finding(nova: OpenTarget) -> None:
    setup = (Operation("instance", {"instance": 1, "role": "new", "flavor": 1}),)
    made = nova.program(Scenario(Operations(setup, (RESTART,)), {}, ()))
    assert isinstance(made, StagedProgram)
    assert found(made) == set()


def test_a_start_that_always_fails_is_told(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    from nova.compute.manager import ComputeManager

    def broken(*arguments: Any, **options: Any) -> None:
        raise ZeroDivisionError

    made = program(nova, "audit", 1)
    monkeypatch.setattr(ComputeManager, "pre_start_hook", broken)
    assert {failure.error_type for outcome in outcomes(made, 5) for failure in outcome.failures} == {
        "ZeroDivisionError"
    }


def test_what_the_other_host_raises_is_told_after_a_kill(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    made = program(nova, "audit_other", 1)
    assert isinstance(made.stage, NovaStage)
    made.stage.restore()

    def broken(*arguments: Any, **options: Any) -> None:
        raise ZeroDivisionError

    real = made.stage._world.restore

    def restore(snapshot: Any) -> None:
        real(snapshot)
        made.stage._world.hosts["host2"].tracker._update_available_resource = broken  # type: ignore[attr-defined]

    monkeypatch.setattr(made.stage._world, "restore", restore)
    assert all("ZeroDivisionError" in {one.error_type for one in outcome.failures} for outcome in outcomes(made, 30))


def test_a_method_that_the_conductor_lacks_is_told_whoever_handles_it(nova: OpenTarget) -> None:
    made = program(nova, "audit", 1)
    assert isinstance(made.stage, NovaStage)
    made.stage.restore()
    world = made.stage._world
    made.stage.perform(Operation("audit"))
    with pytest.raises(LookupError):
        world.conductor._find("Instance", "no_such")  # type: ignore[union-attr]
    with pytest.raises(ProcessEndedError):
        made.stage.perform(Operation("audit"))
    assert made.stage.unanswered == "Instance.no_such"
    made.stage.restore()
    assert made.stage.unanswered == ""
    made.stage.perform(Operation("audit"))


def test_two_kills(nova: OpenTarget) -> None:
    assert found(program(nova, "restart", 3)) == set()


def test_who_waits_for_a_start_that_fails_waits_for_the_next(nova: OpenTarget) -> None:
    setup = (Operation("instance", {"instance": 1, "role": "active", "flavor": 1}),)
    fault = Operation("conductor_timeout", {"task": 0, "call": 6})
    made = nova.program(Scenario(Operations(setup, (RESTART, (Operation("audit"),))), {}, (fault,)))
    walk, setting = RandomWalk(0), ExecutionConfig(bytearray(1 << 17))
    for _ in range(60):
        outcome = made.execute(walk, setting)
        assert (outcome.failures, outcome.uncontrolled) == ([], "")
