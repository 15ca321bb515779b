"""What starts, joins and common locks order is no scheduling point; what nothing orders is one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from semafuzz import explore
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.schedulers.random_walk import RandomWalk


class Counter:
    def __init__(self) -> None:
        self.value = 0
        self.lock = threading.Lock()


def meeting(body: Callable[[Counter], None], after: Callable[[Counter], object] = lambda counter: None) -> set[str]:
    """The functions of this module in which two tasks can meet at a counter's value."""
    found: set[str] = set()

    class Look(RandomWalk):
        def end(self, outcome: Outcome) -> None:
            from semafuzz.harness.kernel.sites import SITES

            table = outcome.locations()
            for key in table:
                if key[1] == "value":
                    found.update(SITES[site].function.rpartition(".")[2] for site in table.meeting_sites(key))

    def run() -> None:
        counter = Counter()
        threads = [threading.Thread(target=body, args=(counter,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after(counter)

    explore(run, scheduler=Look(), schedules=5)
    return found


def reads(counter: Counter) -> None:
    _ = counter.value


def adds(counter: Counter) -> None:
    counter.value += 1


def adds_under_the_lock(counter: Counter) -> None:
    with counter.lock:
        counter.value += 1


@pytest.mark.parametrize(("body", "places"), [(reads, set()), (adds, {"adds"}), (adds_under_the_lock, set())])
def test_who_can_meet(body: Callable[[Counter], None], places: set[str]) -> None:
    assert meeting(body, after=reads) == places


def test_a_lock_that_one_of_two_does_not_take_orders_nothing() -> None:
    turn = iter(range(1_000_000))

    def sometimes(counter: Counter) -> None:
        if next(turn) % 2:
            adds(counter)
        else:
            adds_under_the_lock(counter)

    assert meeting(sometimes) == {"adds", "adds_under_the_lock"}
