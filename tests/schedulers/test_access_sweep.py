"""The sweep over accesses: each task is left before each access that meets another one, and nowhere else."""

from __future__ import annotations

import sys
import threading

import pytest

from semafuzz import TaskProgram
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.access_sweep import AccessSweep
from semafuzz.harness.schedulers.serial_order import SerialOrder

THIS = sys.modules[__name__]


class Counter:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value = 0
        self.own = [0, 0]

    def add(self, number: int) -> None:
        self.own[number] += 1
        value = self.value
        self.value = value + 1

    def add_guarded(self, number: int) -> None:
        with self.lock:
            self.add(number)


def program(name: str) -> Program:
    def check(counter: Counter) -> None:
        assert counter.value == 2

    tasks = [lambda counter, number=number: getattr(counter, name)(number) for number in range(2)]
    return TaskProgram(Counter, tasks, check, under_test=[THIS])


def swept(name: str) -> list[Outcome]:
    made, sweep, outcomes = program(name), AccessSweep(), []
    with controlled_session([THIS]) as laboratory:
        setting = ExecutionConfig(bytearray(1 << 16))
        for first in (0, 1):
            for _ in range(2):
                # Once more when the scheduling points are known.
                outcome = execute(made, SerialOrder((first, 1 - first)), setting)
                laboratory.control.between_executions()
                setting.learn(outcome)
            sweep.learn(first, outcome)
        while sweep.begin(len(outcomes)):
            outcomes.append(execute(made, sweep, setting))
            laboratory.control.between_executions()
    return outcomes


def test_each_task_is_left_before_each_access_that_meets() -> None:
    outcomes = swept("add")
    # Of each task the read and the write of the value, and those of the list, which counts as one place.
    assert 4 <= len(outcomes) <= 12
    assert sum(bool(outcome.failures) for outcome in outcomes) >= 2, "between read and write, of either task"


def test_a_lock_that_both_hold_leaves_nothing_to_try() -> None:
    assert swept("add_guarded") == []


@pytest.mark.parametrize("name", ["add", "add_guarded"])
def test_without_a_run_to_learn_from_there_is_nothing(name: str) -> None:
    assert not AccessSweep().begin(0)
