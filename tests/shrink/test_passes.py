"""Each pass by itself: it makes a run simpler, and run again it changes nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from semafuzz import TaskProgram
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.directed import Directive, Place, directives_of
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.shrink.normal_form import in_normal_form
from semafuzz.harness.shrink.placing import placed
from semafuzz.harness.shrink.removal import without_some
from semafuzz.harness.shrink.trials import Failing, Trials

THIS = sys.modules[__name__]
Pass = Callable[[Failing, Trials], Failing]


class Counter:
    """Counts without a lock, among much that is shared and harmless."""

    def __init__(self) -> None:
        self.value = 0
        self.marks = [0] * 4
        self.own: dict[int, int] = {}
        self.lock = threading.Lock()

    def count(self, number: int) -> None:
        self.stir(number)
        self.value += 1
        self.stir(number)

    def stir(self, number: int) -> None:
        for place in range(4):
            self.marks[place] += 1
            self.own[number] = place
        with self.lock:
            self.marks[0] = 0


def _counting(number: int) -> Callable[[Counter], None]:
    return lambda counter: counter.count(number)


def three(counter: Counter) -> None:
    assert counter.value == 3


def fails(outcome: Outcome) -> bool:
    return bool(outcome.failures)


@contextmanager
def trials(same: Callable[[Outcome], bool] = fails) -> Iterator[Trials]:
    program = TaskProgram(Counter, [_counting(number) for number in range(3)], three, under_test=[THIS])
    with controlled_session([THIS]):
        setting = ExecutionConfig(bytearray(1 << 16))
        made = Trials(program, setting, same, 1000)
        made.make(())
        yield made


def random_failure(made: Trials, seed: int) -> Failing:
    walk = RandomWalk(seed)
    for _ in range(50):
        outcome = execute(made._program, walk, made._setting)
        made.learn(outcome)
        value = made.judge(made.make(directives_of(outcome)))
        if value is not None and value.size.preemptions > 8:
            return value
    raise AssertionError("nothing was found")


@pytest.mark.parametrize("shrink", [in_normal_form, without_some])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.wide
def test_a_pass_makes_progress_once(shrink: Pass, seed: int) -> None:
    with trials() as made:
        value = random_failure(made, seed)
        simpler = shrink(value, made)
        assert simpler.size.preemptions < value.size.preemptions
        assert shrink(simpler, made) is simpler


def test_a_preemption_comes_for_the_first_task_that_will_do() -> None:
    with trials() as made:
        calm = made.make(())
        assert calm is not None
        before_write = next(
            place
            for place, decision in zip(calm.places, calm.outcome.decisions, strict=True)
            if decision.current == 0 and decision.pending[0][2] == "value" and decision.pending[0][0] == 1
        )
        value = made.judge(made.make([Directive(before_write, 2)]))
        assert value is not None
        simpler = placed(value, made)
        assert simpler.run.directives == (Directive(before_write, 1),)
        assert placed(simpler, made) is simpler


def test_a_run_is_believed_when_it_fails_twice() -> None:
    answers = iter([False, True, True, True, False])
    with trials(lambda outcome: next(answers)) as made:
        assert made.judge(made.make([Directive(Place(-1, 0, 0), 1)])) is not None
        assert made.steady
        assert made.judge(made.make([Directive(Place(-1, 0, 0), 2)])) is None
        assert not made.steady


def test_a_failure_that_is_not_shown_again_is_not_confirmed() -> None:
    """Also where nothing is shrunk."""
    judged: list[int] = []

    def once(counter: Counter) -> None:
        judged.append(counter.value)
        assert len(judged) > 1

    program = TaskProgram(Counter, [_counting(number) for number in range(2)], once, under_test=[THIS])
    with controlled_session([THIS]) as laboratory:
        found = Exploration(program, RandomWalk(0), laboratory, shrink_budget=0).run().failures[0]
    assert not found.confirmed
