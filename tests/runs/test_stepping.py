"""Executions that are driven step by step from outside."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semafuzz.harness.kernel import current
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import TaskProgram, execute
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.runs.stepping import SteppedExecution
from semafuzz.harness.schedulers.replay.by_owner import DRIVER, ReplayByOwner, owners


def _load(name: str) -> Any:
    """A module beside this one: only its code is to have scheduling points."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


counter = _load("stepped_counter")


@pytest.fixture(scope="module")
def laboratory() -> Iterator[ControlledSession]:
    with controlled_session([counter]) as made:
        assert made.uncontrolled_reason == ""
        yield made


@pytest.fixture
def setting(laboratory: ControlledSession) -> ExecutionConfig:
    return ExecutionConfig(bytearray(b"\1" * (1 << 16)))


def test_a_step_ends_at_the_next_scheduling_point(setting: ExecutionConfig) -> None:
    made = counter.Counter()
    run = SteppedExecution(setting)
    first = run.start(made.add, "first")
    run.step(first)
    assert (first.pending[0], made.value) == (op.READ, 0)
    run.step(first)
    assert (first.pending[0], made.value) == (op.WRITE, 0)
    run.step(first)
    assert (first.done, made.value) == (True, 1)
    assert run.close().failures == []


def test_a_lost_update_by_hand(setting: ExecutionConfig) -> None:
    made = counter.Counter()
    run = SteppedExecution(setting)
    first, second = run.start(made.add, "first"), run.start(made.add, "second")
    run.step(first, 2)
    run.finish(second)
    run.settle()
    assert made.value == 1
    assert first.done
    run.close()


def test_between_steps_nothing_is_under_control(setting: ExecutionConfig) -> None:
    run = SteppedExecution(setting)
    task = run.start(lambda: time.sleep(3600), "sleeper")
    run.step(task)
    assert current.execution is None
    assert threading.current_thread() is threading.main_thread()
    before = time.monotonic()
    assert time.monotonic() - before < 60
    assert task.timed
    assert not task.done
    run.advance(1)
    assert task.timed
    run.advance(3600)
    assert not task.timed
    run.settle()
    assert task.done
    run.close()


def test_thread_local_values_stay_apart(setting: ExecutionConfig) -> None:
    local = threading.local()
    local.value = "caller"
    seen = []

    def work() -> None:
        local.value = threading.current_thread().name
        made.add()
        seen.append(local.value)

    made = counter.Counter()
    run = SteppedExecution(setting)
    tasks = [run.start(work, f"task {number}") for number in range(2)]
    for task in tasks:
        run.step(task, 2)
        assert local.value == "caller"
    run.settle()
    run.close()
    assert local.value == "caller"
    assert len(set(seen)) == 2


def test_a_task_that_waits_for_a_lock_is_not_able(setting: ExecutionConfig) -> None:
    made = counter.Counter()
    run = SteppedExecution(setting)
    first, second = run.start(made.add_locked, "first"), run.start(made.add_locked, "second")
    while first.pending[0] != op.WRITE:
        run.step(first)
    run.finish(second)
    assert not second.done
    assert not run.enabled(second)
    run.finish(first)
    assert run.enabled(second)
    run.settle()
    assert made.value == 2
    assert run.close().failures == []


def test_a_deadlock_is_told(setting: ExecutionConfig) -> None:
    one, other = threading.Lock(), threading.Lock()

    def take(first: threading.Lock, second: threading.Lock) -> None:
        with first:
            made.add()
            with second:
                pass

    made = counter.Counter()
    run = SteppedExecution(setting)
    tasks = [run.start(lambda: take(one, other), "up"), run.start(lambda: take(other, one), "down")]
    for task in tasks:
        run.step(task, 2)
    run.settle()
    assert [failure.kind for failure in run.outcome.failures] == ["deadlock"]
    assert "up" in run.outcome.failures[0].message
    assert "driver" not in run.outcome.failures[0].message
    run.close()
    assert current.execution is None


def test_what_a_task_raises_is_a_failure_and_the_rest_goes_on(setting: ExecutionConfig) -> None:
    def fail() -> None:
        raise KeyError("gone")

    made = counter.Counter()
    run = SteppedExecution(setting)
    run.finish(run.start(fail, "failing"))
    run.finish(run.start(made.add, "other"))
    assert [(failure.kind, failure.task) for failure in run.outcome.failures] == [("exception", "failing")]
    assert made.value == 1
    run.close()


def test_a_run_that_is_given_up_leaves_nothing_behind(setting: ExecutionConfig) -> None:
    made = counter.Counter()
    ended = []

    def work() -> None:
        try:
            made.add_locked()
        finally:
            ended.append(True)

    for _ in range(3):
        run = SteppedExecution(setting)
        run.step(run.start(work, "left"), 2)
        run.close()
        assert run.over
        assert current.execution is None
    assert len(ended) == 3


def test_a_stepped_run_is_followed_as_a_program(setting: ExecutionConfig) -> None:
    """The events of a stepped run tell a scheduler how to make the same run again."""
    made = counter.Counter()
    run = SteppedExecution(setting)
    tasks = [run.start(made.add, f"task-{number}") for number in range(3)]
    run.step(tasks[1], 2)
    run.step(tasks[0], 1)
    run.finish(tasks[2])
    run.settle()
    outcome = run.close()
    assert made.value < 3

    states: list[Any] = []

    def setup() -> Any:
        states.append(counter.Counter())
        return states[-1]

    program = TaskProgram(setup, [counter.Counter.add] * 3)
    again = execute(program, ReplayByOwner(owners(outcome)), setting)
    assert states[-1].value == made.value
    kinds = [(kind, task.index) for kind, task, *_ in outcome.events if task.index != DRIVER]
    assert [(kind, task.index) for kind, task, *_ in again.events] == kinds
