"""A search that finds nothing new ends early, and says so."""

from __future__ import annotations

import threading

import pytest

from semafuzz import Result, explore


class Box:
    def __init__(self) -> None:
        self.n = 0
        self.lock = threading.Lock()

    def add(self) -> None:
        with self.lock:
            self.n += 1


def few_orders() -> None:
    box = Box()
    threads = [threading.Thread(target=box.add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def many_orders() -> None:
    box = Box()
    threads = [threading.Thread(target=box.add) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def random_search(seconds: float | None = None) -> Result:
    return explore(few_orders, scheduler="random", schedules=2000, seconds=seconds)


def test_it_ends_where_nothing_new_comes() -> None:
    result = random_search()
    assert (result.verdict, result.classes) == ("cut", 2)
    assert 300 <= result.fruitless < result.schedules
    assert result.schedules < 400


def test_who_gives_a_time_gets_it() -> None:
    result = random_search(seconds=30)
    assert (result.schedules, result.fruitless) == (2000, 0)


def test_it_goes_on_while_there_is_news() -> None:
    result = explore(many_orders, scheduler="random", schedules=1000)
    assert (result.schedules, result.fruitless) == (1000, 0)


@pytest.mark.parametrize("scheduler", ["portfolio", "dpor"])
def test_a_proof_comes_first(scheduler: str) -> None:
    result = explore(few_orders, scheduler=scheduler, schedules=2000)
    assert (result.verdict, result.fruitless) == ("complete", 0)
