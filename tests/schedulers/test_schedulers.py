"""What each scheduler finds, and what it cannot."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from semafuzz import TaskProgram, explore
from semafuzz.harness.errors import NotDeterministic, UsageError
from semafuzz.harness.schedulers.pct import PCT
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.registry import SCHEDULERS, make_scheduler
from semafuzz.harness.search.result import Result

THIS = sys.modules[__name__]


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def add(self) -> None:
        self.value += 1


def two(counter: Counter) -> None:
    assert counter.value == 2


def counting() -> TaskProgram[Counter]:
    return TaskProgram(Counter, [Counter.add, Counter.add], two, under_test=[THIS])


class Flags:
    """Fails only when a task is stopped between its two writes: reorder, in the
    terms of SCTBench, with as many setters as asked for."""

    def __init__(self) -> None:
        self.a = 0
        self.b = 0

    def set(self) -> None:
        self.a = 1
        self.b = -1

    def look(self) -> None:
        assert (self.a == 0 and self.b == 0) or (self.a == 1 and self.b == -1)


def reorder(setters: int) -> TaskProgram[Flags]:
    return TaskProgram(Flags, [*[Flags.set] * setters, Flags.look], under_test=[THIS])


@pytest.mark.parametrize("name", [name for name in SCHEDULERS if name not in ("recheck", "sweep", "torn-reads")])
@pytest.mark.wide
def test_a_lost_update_is_found(name: str) -> None:
    result = explore(counting(), scheduler=name, schedules=200)
    assert result.verdict == "found"
    assert result.first_failure == result.schedules


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers_keep_the_protocol(name: str) -> None:
    made = make_scheduler(name, 1)
    assert isinstance(made, Scheduler)
    assert made.begin(0)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="choose one of"):
        make_scheduler("magic", 0)
    assert make_scheduler("pct", 0).name == "pct3"


def test_a_rare_window_is_found_by_the_default() -> None:
    """Nine tasks must rest while one is held between two writes."""
    result = explore(reorder(9), schedules=5000)
    assert result.verdict == "found"
    assert result.failures[0].preemptions == 1


def test_pct_of_depth_one_cannot_interrupt() -> None:
    """Without change points tasks run whole: no lost update, ever."""
    result = explore(counting(), scheduler=PCT(0, 1), schedules=500)
    assert result.failures == []


def test_exhaustive_ends_and_says_so() -> None:
    def nothing(counter: Counter) -> None:
        return None

    program = TaskProgram(Counter, [Counter.add, Counter.add], nothing, under_test=[THIS])
    result = explore(program, scheduler="exhaustive", schedules=10_000, stop_on_first=False)
    assert result.verdict == "complete", result.notes
    assert result.exhausted
    assert result.classes == 4


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_a_cut_search_never_says_complete(budget: int) -> None:
    result = explore(reorder(3), scheduler="exhaustive", schedules=budget)
    assert (result.verdict, result.exhausted) == ("cut", False)


def test_exhaustive_finds_what_is_rare() -> None:
    assert explore(reorder(2), scheduler="exhaustive", schedules=10_000).verdict == "found"


def paths(seed: int) -> Result:
    return explore(reorder(3), scheduler="random", schedules=30, seed=seed)


@pytest.mark.unmeasured
@pytest.mark.wide
def test_one_seed_one_search_ten_seeds_several() -> None:
    def figure(result: Result) -> tuple[int, int]:
        return result.schedules, result.classes

    assert len({figure(paths(5)) for _ in range(3)}) == 1
    assert len({figure(paths(seed)) for seed in range(10)}) > 1


leak: list[int] = []


class Leaky:
    def __init__(self) -> None:
        self.value = 0

    def work(self) -> None:
        leak.append(1)
        if len(leak) % 3:
            self.value += 1
        self.value += 1


def test_recheck_notices_runs_that_differ() -> None:
    program = TaskProgram(Leaky, [Leaky.work, Leaky.work], under_test=[THIS])
    with pytest.raises(NotDeterministic, match="differ at step"):
        explore(program, scheduler="recheck", schedules=20)


@pytest.mark.parametrize("make", [counting, lambda: reorder(3)])
def test_recheck_is_silent_about_the_same_runs(make: Callable[[], TaskProgram[object]]) -> None:
    result = explore(make(), scheduler="recheck", schedules=40, stop_on_first=False)
    assert result.schedules == 40
