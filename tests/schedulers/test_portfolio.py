"""The default search: what its first execution shows, how its shares move, and that it proves small programs."""

from __future__ import annotations

import threading

import pytest

from semafuzz import explore
from semafuzz.commands.bench.run import load
from semafuzz.harness.schedulers.portfolio import Portfolio
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.targets.classics import CLASSICS, Classic

BY_NAME = {classic.name: classic for classic in CLASSICS}


@pytest.mark.parametrize("name", ["account", "deadlock01", "queue", "wronglock_7", "dining_3"])
def test_tasks_in_lock_step_show_it_at_once(name: str) -> None:
    assert explore(load(BY_NAME[name])).first_failure == 1


@pytest.mark.parametrize("name", ["counter_locked", "twostage_fixed", "shared4", "condition_variable", "handed"])
def test_a_small_right_program_is_proved_without_an_option(name: str) -> None:
    result = explore(load(BY_NAME[name]))
    assert (result.verdict, result.exhausted) == ("complete", True)
    assert result.schedules < 250


def test_one_that_is_not_small_is_cut() -> None:
    result = explore(load(BY_NAME["readers_13"]), schedules=100)
    assert (result.verdict, result.schedules) == ("cut", 100)


def test_a_hundred_threads_hide_nothing() -> None:
    result = explore(load(BY_NAME["reorder_100"]), schedules=200)
    assert result.verdict == "found"


def test_equal_seeds_give_equal_searches() -> None:
    firsts = {explore(load(BY_NAME["reorder_4"]), seed=5).first_failure for _ in range(2)}
    assert len(firsts) == 1


def test_who_finds_nothing_new_loses_turns() -> None:
    turns = {"one": 0, "two": 0}

    class Counted(RandomWalk):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def begin(self, execution: int) -> bool:
            turns[self.name] += 1
            return super().begin(execution)

    portfolio = Portfolio(members=[Counted("one"), Counted("two")])
    for execution in range(400):
        portfolio.begin(execution)
        portfolio.reward(new_class=portfolio._chosen.name == "one")
    assert turns["two"] >= 400 / 6 - 10, "nobody is left out"
    assert turns["one"] > 2 * turns["two"]


def some(fails: bool) -> list[object]:
    """Each classic of one kind as a parameter; one in five is tried always, the others are slow."""
    chosen = [classic for classic in CLASSICS if classic.fails is fails and classic.name != "safestack"]
    return [
        pytest.param(classic, id=classic.name, marks=[] if number % 8 == 0 else pytest.mark.slow)
        for number, classic in enumerate(chosen)
    ]


@pytest.mark.wide
@pytest.mark.parametrize("classic", some(fails=True))
def test_every_failing_classic_is_found(classic: Classic) -> None:
    assert explore(load(classic), schedules=500, seed=1).verdict == "found"


@pytest.mark.wide
@pytest.mark.parametrize("classic", some(fails=False))
@pytest.mark.parametrize(
    "scheduler",
    ["portfolio", *(pytest.param(name, marks=pytest.mark.slow) for name in ("surw", "windows", "pos", "rff"))],
)
def test_no_right_classic_is_accused(classic: Classic, scheduler: str) -> None:
    assert explore(load(classic), scheduler=scheduler, schedules=40).failures == []


def test_what_needs_more_than_windows_is_not_missed() -> None:
    """A lost wake-up after a random order: windows alone seldom lead there."""

    def run() -> None:
        ready = threading.Event()
        seen: list[int] = []

        def first() -> None:
            if not seen:
                ready.wait()

        def second() -> None:
            ready.set()
            ready.clear()
            seen.append(1)

        threads = [threading.Thread(target=first), threading.Thread(target=second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert explore(run).verdict == "found"
