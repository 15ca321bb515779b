"""The simplest order of a run's own operations: what it may swap and what it must not."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from semafuzz import TaskProgram
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.directed import Directed, directives_of
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.shrink.dependence import Order
from semafuzz.harness.shrink.normal_form import simplest_order
from semafuzz.harness.shrink.size import preemptions, switches, turns
from semafuzz.harness.shrink.trials import size_of

THIS = sys.modules[__name__]
Body = Callable[["Things"], object]


class Things:
    """Everything that two tasks can share, and something that they do not."""

    def __init__(self) -> None:
        self.shared = 0
        self.other = 0
        self.table = {"one": 0, "two": 0}
        self.lock = threading.Lock()
        self.spare = threading.Lock()


def write_shared(things: Things) -> None:
    things.shared = 1


def read_shared(things: Things) -> None:
    assert things.shared >= 0


def write_other(things: Things) -> None:
    things.other = 1


def write_one(things: Things) -> None:
    things.table["one"] = 1


def write_two(things: Things) -> None:
    things.table["two"] = 1


def look_at_all(things: Things) -> None:
    assert len(things.table) == 2


def lock(things: Things) -> None:
    with things.lock:
        pass


def lock_spare(things: Things) -> None:
    with things.spare:
        pass


def call_out(things: Things) -> None:
    assert current.execution is not None
    current.execution.io("database.save")


def clock(things: Things) -> None:
    time.monotonic()


class Alternating(Scheduler):
    """The other task, at every choice."""

    name = "alternating"

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        return next((task for task in enabled if task is not current), enabled[0])


def alternating(one: Body, two: Body, times: int = 2) -> Outcome:
    """A run in which two tasks do this in turn, every place of theirs a scheduling point."""
    parts = [lambda things, body=body: [body(things) for _ in range(times)] for body in (one, two)]
    program = TaskProgram(Things, parts, under_test=[THIS])
    with controlled_session([THIS]):
        setting = ExecutionConfig(bytearray(b"\x01") * max(1 << 16, 2 * len(SITES)))
        outcome = execute(program, Alternating(), setting)
    assert switches(outcome.events) > 2
    return outcome


def simplest(outcome: Outcome) -> int:
    """The switches of the simplest order."""
    order, _ = simplest_order(outcome.events, size_of(outcome, directives_of(outcome)))
    return len(order) - 1


INDEPENDENT = [
    (write_shared, write_other),
    (read_shared, read_shared),
    (write_one, write_two),
    (look_at_all, look_at_all),
    (lock, lock_spare),
    (write_shared, lock),
    (write_shared, call_out),
    (read_shared, clock),
]
DEPENDENT = [
    (write_shared, write_shared),
    (write_shared, read_shared),
    (write_one, write_one),
    (write_one, look_at_all),
    (lock, lock),
    (call_out, call_out),
    (clock, clock),
]


@pytest.mark.parametrize(("one", "two"), INDEPENDENT)
@pytest.mark.wide
def test_what_is_independent_is_pulled_together(one: Body, two: Body) -> None:
    assert simplest(alternating(one, two)) == 1


@pytest.mark.parametrize(("one", "two"), DEPENDENT)
@pytest.mark.wide
def test_what_depends_keeps_its_order(one: Body, two: Body) -> None:
    outcome = alternating(one, two)
    assert simplest(outcome) > 1


class Busy:
    """Shares some places, not others, and two locks."""

    def __init__(self) -> None:
        self.places = [0] * 4
        self.locks = [threading.Lock(), threading.Lock()]

    def work(self, number: int) -> None:
        for turn in range(3):
            self.places[turn % 2] += 1
            self.places[2 + number % 2] += 1
            with self.locks[(turn + number) % 2]:
                self.places[0] = number
            time.sleep(0)


def _worker(number: int) -> Callable[[Busy], None]:
    return lambda busy: busy.work(number)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.wide
def test_the_order_is_run_and_is_the_same_execution(seed: int) -> None:
    """What was computed is what a run under its directives does, it is equivalent, and
    it is no less simple."""
    program = TaskProgram(Busy, [_worker(number) for number in range(3)], under_test=[THIS])
    setting = ExecutionConfig(bytearray(1 << 16))
    with controlled_session([THIS]):
        for number in range(4):
            outcome = execute(program, RandomWalk(10 * seed + number), setting)
            mark_scheduling_points(outcome.events, setting.hot)
        order, directives = simplest_order(outcome.events, size_of(outcome, directives_of(outcome)))
        again = execute(program, Directed(directives), setting)
    assert turns(again.events) == order
    assert Order(again.events).states[-1] == Order(outcome.events).states[-1]
    assert preemptions(again) <= preemptions(outcome)
    assert switches(again.events) <= switches(outcome.events)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.wide
def test_directives_of_a_run_make_it_again(seed: int) -> None:
    """Also once there are more scheduling points than it had."""
    program = TaskProgram(Busy, [_worker(number) for number in range(3)], under_test=[THIS])
    setting = ExecutionConfig(bytearray(1 << 16))
    with controlled_session([THIS]):
        first = execute(program, RandomWalk(seed), setting)
        mark_scheduling_points(first.events, setting.hot)
        few = execute(program, RandomWalk(seed), setting)
        setting.hot[:] = b"\x01" * len(setting.hot)
        many = execute(program, Directed(directives_of(few)), setting)
    assert turns(many.events) == turns(few.events)
    assert len(many.decisions) > len(few.decisions)
