"""A picture shows the run as it was: who, where, what was found there, and what else could be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec

from semafuzz.commands.report.draw import draw as draw_trace
from semafuzz.commands.report.draw import view_without_run
from semafuzz.harness.traces.codec import read
from semafuzz.reports.run_view.build import _chosen
from semafuzz.reports.run_view.schema import FindingView, Run, Step
from tests.reports.conftest import PROGRAMS

Draw = Callable[..., FindingView]


def words(run: Run, step: Step) -> tuple[str, str, str, str]:
    def text(number: int) -> str:
        return run.texts[number] if number >= 0 else ""

    return run.lanes[step.task].name, f"{step.kind} {text(step.what)}", text(step.before), text(step.after)


def test_a_lost_update(draw: Draw) -> None:
    drawn = draw("lost")
    assert (drawn.reproduces, drawn.kind, drawn.severity) == ("yes", "assertion", "error")
    run = drawn.run
    assert run is not None
    assert [lane.name for lane in run.lanes] == ["MainThread", "worker-0", "worker-1"]
    shared = [words(run, step) for step in run.steps if step.shared and "balance" in run.texts[step.what]]
    assert shared == [
        ("MainThread", "write Account#1.balance", "nothing", "0"),
        ("worker-0", "read Account#1.balance", "0", ""),
        ("worker-1", "read Account#1.balance", "0", ""),
        ("worker-1", "write Account#1.balance", "0", "1"),
        ("worker-0", "write Account#1.balance", "1", "1"),
        ("MainThread", "read Account#1.balance", "1", ""),
    ]
    (preemption,) = [switch for switch in run.switches if switch.preemption]
    assert (run.lanes[preemption.task].name, run.lanes[preemption.instead].name) == ("worker-0", "worker-1")
    assert preemption.needed == "yes"
    assert "write Account.balance" in preemption.put_off
    assert {run.lanes[step.task].name for step in run.steps if step.number in run.pair} == {"worker-0", "worker-1"}
    (excerpt, *_) = drawn.excerpts
    assert (excerpt.file, [excerpt.lines[line - excerpt.first] for line in excerpt.marked]) == (
        "programs.py",
        ["        self.balance += 1"],
    )


def test_the_nearest_passing_run_parts_where_the_preemption_is(draw: Draw) -> None:
    drawn = draw("lost")
    assert drawn.run is not None
    assert drawn.passing is not None
    (preemption,) = [switch for switch in drawn.run.switches if switch.preemption]
    assert drawn.passing.parted == preemption.step
    assert "worker-0 goes on" in drawn.passing.how
    passing = drawn.passing.run
    assert passing.failure == ""
    assert words(passing, [step for step in passing.steps if step.shared][-1])[2] == "2"


def test_a_deadlock(draw: Draw) -> None:
    drawn = draw("stuck")
    run = drawn.run
    assert run is not None
    assert drawn.kind == "deadlock"
    assert {run.lanes[task].name: what.partition(" at ")[0] for task, what in run.waiting} == {
        "MainThread": "join task 1",
        "worker-0": "acquire Lock#2",
        "worker-1": "acquire Lock#1",
    }
    assert {(run.lanes[hold.task].name, hold.name, hold.open) for hold in run.holds} >= {
        ("worker-0", "Lock#1", True),
        ("worker-1", "Lock#2", True),
    }
    assert drawn.passing is not None


def test_a_failure_of_every_order_has_no_passing_run(draw: Draw) -> None:
    drawn = draw("always")
    assert drawn.run is not None
    assert drawn.passing is None
    assert "every other run that was tried fails as well" in drawn.no_passing
    assert not [switch for switch in drawn.run.switches if switch.preemption]


def test_holds_end_where_the_lock_is_given_back(draw: Draw) -> None:
    run = draw("always").run
    assert run is not None
    kinds = {step.number: step.kind for step in run.steps}
    holds = [hold for hold in run.holds if hold.name == "Account#1.lock"]
    assert len(holds) == 2
    assert all((kinds[hold.start], kinds[hold.end], hold.open) == ("acquire", "release", False) for hold in holds)


def test_a_mended_program_has_no_picture_and_says_why(draw: Draw, tmp_path: Path) -> None:
    draw("lost")
    (trace,) = (tmp_path / "out-lost").glob("*.json")
    mended = PROGRAMS.replace("together(account.deposit, account.deposit)", "together(account.deposit_with_lock)")
    (tmp_path / "programs.py").write_text(mended.replace("== 2", "== 1"))
    drawn = draw_trace(read(trace), "programs.py:lost")
    assert drawn.run is None
    assert drawn.reproduces.startswith(("it does not show here any more", "that cannot be told"))


def test_a_program_that_is_gone_has_no_picture_and_says_why(draw: Draw, tmp_path: Path) -> None:
    draw("lost")
    (trace,) = (tmp_path / "out-lost").glob("*.json")
    (tmp_path / "programs.py").unlink()
    drawn = draw_trace(read(trace), "programs.py:lost")
    assert drawn.run is None
    assert "it could not be run here" in drawn.reproduces


def test_a_picture_is_plain_data(draw: Draw) -> None:
    drawn = draw("lost")
    assert msgspec.json.decode(msgspec.json.encode(drawn), type=FindingView) == drawn
    assert json.loads(msgspec.json.encode(drawn))["signature"] == drawn.signature


def test_what_the_trace_tells_without_a_run(draw: Draw, tmp_path: Path) -> None:
    drawn = draw("lost")
    (trace,) = (tmp_path / "out-lost").glob("*.json")
    told = view_without_run(read(trace))
    assert (told.signature, told.message, told.places) == (drawn.signature, drawn.message, drawn.places)
    assert told.run is None


def test_of_too_many_steps_those_that_matter_stay() -> None:
    steps = [Step(number, number % 2, "read", -1, -1, -1, -1, number % 10 == 0) for number in range(1000)]
    assert _chosen(steps, [], 1000) == steps
    assert {step.number for step in _chosen(steps, [], 200)} == set(range(0, 1000, 10))
    few = [step.number for step in _chosen(steps, [300], 20)]
    assert len(few) <= 20
    assert {290, 300, 310, 980, 990} <= set(few)
