"""What is called needed is needed, and what is not is found out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from semafuzz import TaskProgram
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import Program
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.directed import Directive, Place
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.shrink.necessity import Checked, check_necessity
from semafuzz.harness.shrink.trials import Failing, Trials
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.schema import Function, Operation, Trace

THIS = sys.modules[__name__]
BEFORE_ITS_WRITE = Directive(Place(0, 2, 0), 1)
"""The first task is interrupted before its write."""


class Tally:
    """Two tasks count, and look at each other's marks for no good."""

    def __init__(self) -> None:
        self.value = 0
        self.marks = [0, 0]

    def first(self) -> None:
        self.value += 1
        self.marks[0] = 1
        self.marks[1] = 1

    def second(self) -> None:
        self.value += 1
        self.marks[1] = 2
        self.marks[0] = 2


def two(tally: Tally) -> None:
    assert tally.value == 2


def tallying() -> TaskProgram[Tally]:
    return TaskProgram(Tally, [Tally.first, Tally.second], two, under_test=[THIS])


@pytest.fixture
def laboratory() -> Iterator[ControlledSession]:
    with controlled_session([THIS]) as found:
        yield found


def fails(outcome: Outcome) -> bool:
    return bool(outcome.failures)


def trials_of(program: Program, budget: int = 100) -> Trials:
    trials = Trials(program, ExecutionConfig(bytearray(1 << 16)), fails, budget)
    trials.make(())
    return trials


def judged(trials: Trials, *directives: Directive) -> Failing:
    value = trials.judge(trials.make(directives))
    assert value is not None
    return value


def checked(value: Failing, trials: Trials, *rest: object) -> Checked:
    found = check_necessity(value, trials, *rest)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_preemption_that_is_not_needed_is_found_out(laboratory: ControlledSession) -> None:
    trials = trials_of(tallying())
    # The second task, once it has counted, gives way to the first for nothing.
    value = judged(trials, BEFORE_ITS_WRITE, Directive(Place(1, 4, 0), 0))
    assert value.size.preemptions == 2
    found = checked(value, trials)
    assert [one.needed for one in found.necessity.preemptions] == [True, False]
    assert not found.necessity.complete
    assert len(found.without) == 1


def test_where_and_for_whom_is_said(laboratory: ControlledSession) -> None:
    trials = trials_of(tallying())
    value = judged(trials, BEFORE_ITS_WRITE)
    (one,) = checked(value, trials).necessity.preemptions
    assert (one.task, one.task_name, one.instead, one.instead_name, one.needed) == (0, "task-0", 1, "task-1", True)
    assert one.place.endswith("(Tally.first)")
    assert one.step == 2


def test_each_fault_is_taken_back_alone(laboratory: ControlledSession) -> None:
    """The first of two faults has nothing to do with it; without the second all is well."""
    mended = TaskProgram(Tally, [Tally.first, Tally.second], under_test=[THIS])
    trials = trials_of(tallying())
    value = judged(trials, BEFORE_ITS_WRITE)
    without: Callable[[int], Program] = lambda fault: [tallying(), mended][fault]  # noqa: E731
    assert checked(value, trials, 2, without).necessity.faults == (False, True)
    assert checked(value, trials, 2).necessity.faults == ()


def test_what_the_budget_does_not_cover_is_not_called_needed(laboratory: ControlledSession) -> None:
    program = tallying()
    value = judged(trials_of(program), BEFORE_ITS_WRITE)
    assert check_necessity(value, Trials(program, ExecutionConfig(bytearray(1 << 16)), fails, 0)) is None


def found_in(folder: Path, laboratory: ControlledSession, budget: int) -> Finding:
    search = Exploration(
        tallying(),
        RandomWalk(1),
        laboratory,
        origin=Origin("function", Function("a.py", "f", "0" * 64), faults=(Operation("a fault"),)),
        folder=folder,
        shrink_budget=budget,
    )
    return search.run().failures[0]


def reread(finding: Finding) -> Trace:
    return codec.read(Path(finding.trace))


def test_finding_and_trace_say_so(tmp_path: Path, laboratory: ControlledSession) -> None:
    finding = found_in(tmp_path, laboratory, 100)
    assert finding.necessity is not None
    assert [one.needed for one in finding.necessity.preemptions] == [True]
    trace = reread(finding)
    assert trace.format == 3
    assert trace.necessity == finding.necessity
    assert [path.name for path in tmp_path.iterdir()] == [Path(finding.trace).name]


def test_what_was_not_checked_is_left_out(tmp_path: Path, laboratory: ControlledSession) -> None:
    finding = found_in(tmp_path, laboratory, 0)
    assert finding.necessity is None
    assert reread(finding).necessity is None


def test_a_trace_of_format_1_replays_as_before(tmp_path: Path, laboratory: ControlledSession) -> None:
    new = reread(found_in(tmp_path, laboratory, 100))
    old = codec.decode(codec.encode(as_format_1(new)))
    assert recorded_choices(old) == recorded_choices(new)
    again = replay(tallying(), recorded_choices(old), ExecutionConfig(bytearray(1 << 16), seed=old.seed))
    assert again.diverged is None
    assert again.digest == old.expected.digest


def as_format_1(trace: Trace) -> Trace:
    """The trace as the first version would have written it."""
    return msgspec.structs.replace(trace, format=1, necessity=None)
