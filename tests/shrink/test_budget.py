"""Shrinking spends what it may and no more, and never makes anything worse."""

from __future__ import annotations

import sys

import pytest

from semafuzz import TaskProgram
from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.directed import directives_of
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.shrink.schedule import Shrunk, shrink_schedule
from semafuzz.harness.shrink.trials import LONG, size_of

THIS = sys.modules[__name__]


class Counter:
    """Four tasks that count to some number each."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.value = 0

    def count(self) -> None:
        for _ in range(self.times):
            self.value += 1


def shrunk(times: int, budget: int) -> tuple[Outcome, Shrunk, list[int]]:
    """A run that lost a count, shrunk; and the events of each run that took."""
    lengths: list[int] = []

    def whole(counter: Counter) -> None:
        assert counter.value == 4 * times

    def same(outcome: Outcome) -> bool:
        lengths.append(len(outcome.events))
        return bool(outcome.failures)

    program = TaskProgram(lambda: Counter(times), [Counter.count] * 4, whole, under_test=[THIS])
    setting = ExecutionConfig(bytearray(1 << 16))
    with controlled_session([THIS]):
        mark_scheduling_points(execute(program, RandomWalk(0), setting).events, setting.hot)
        outcome = execute(program, RandomWalk(1), setting)
        assert outcome.failures
        return outcome, shrink_schedule(program, outcome, setting, same, budget=budget), lengths


@pytest.mark.parametrize("budget", [0, 1, 2, 3, 5, 8, 20])
@pytest.mark.wide
def test_the_budget_is_kept(budget: int) -> None:
    given, found, lengths = shrunk(3, budget)
    assert len(lengths) == found.executions <= 10 * budget
    assert found.size <= size_of(given, directives_of(given))
    assert bool(found.outcome.failures)


def test_nothing_is_run_without_a_budget() -> None:
    given, found, _ = shrunk(3, 0)
    assert found.outcome is given
    assert (found.executions, found.necessity, found.finished, found.steady) == (0, None, False, True)


@pytest.mark.slow
def test_long_runs_count_for_more() -> None:
    _, found, lengths = shrunk(300, 30)
    assert min(lengths) > LONG
    assert 3 <= found.executions <= 30 // 2 + 2


def test_a_small_budget_goes_far() -> None:
    _, found, _ = shrunk(3, 20)
    assert found.size.preemptions == 1
