"""Every order of locked sections is seen, whoever was started first."""

from __future__ import annotations

import threading
from math import factorial

import pytest

from semafuzz import explore

SEEN: set[tuple[int, ...]] = set()
NUMBER = {"threads": 2, "sections": 1}
KIND = ["Lock"]
MODULE_LOCK = threading.Lock()


def appends() -> None:
    """Threads append their numbers, each under the lock; main notes the order."""
    lock = {"Lock": threading.Lock, "RLock": threading.RLock, "Semaphore": threading.Semaphore}[KIND[0]]()
    order: list[int] = []

    def worker(number: int) -> None:
        for _ in range(NUMBER["sections"]):
            with lock:
                order.append(number)

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(NUMBER["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    SEEN.add(tuple(order))


def module_locked() -> None:
    """The same with a lock that this module made when it was imported."""
    order: list[int] = []

    def worker(number: int) -> None:
        with MODULE_LOCK:
            order.append(number)

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    SEEN.add(tuple(order))


def held_for_ever() -> None:
    """A deadlock on the module's lock, which must not outlive its execution."""
    MODULE_LOCK.acquire()
    MODULE_LOCK.acquire()


def orders(threads: int, sections: int) -> int:
    return factorial(threads * sections) // factorial(sections) ** threads


@pytest.mark.parametrize(
    ("threads", "sections"),
    [
        (2, 1),
        (2, 2),
        (2, 3),
        pytest.param(2, 4, marks=pytest.mark.slow),
        pytest.param(3, 1, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_all_orders_are_seen(kind: str, threads: int, sections: int) -> None:
    NUMBER.update(threads=threads, sections=sections)
    KIND[0] = kind
    SEEN.clear()
    result = explore(appends, scheduler="exhaustive", schedules=60_000)
    assert result.verdict == "complete"
    assert len(SEEN) == orders(threads, sections)


@pytest.mark.parametrize(
    ("threads", "sections", "scheduler", "verdict"),
    [
        (2, 1, "exhaustive", "complete"),
        pytest.param(2, 2, "random", "cut", marks=pytest.mark.slow),
        pytest.param(2, 2, "exhaustive", "complete", marks=pytest.mark.slow),
        pytest.param(2, 3, "random", "cut", marks=pytest.mark.slow),
        pytest.param(2, 4, "random", "cut", marks=pytest.mark.slow),
        pytest.param(3, 1, "random", "cut", marks=pytest.mark.slow),
    ],
)
def test_all_orders_of_a_semaphore_are_seen(threads: int, sections: int, scheduler: str, verdict: str) -> None:
    """It is a Condition inside, so there are far more schedules than orders."""
    NUMBER.update(threads=threads, sections=sections)
    KIND[0] = "Semaphore"
    SEEN.clear()
    result = explore(appends, scheduler=scheduler, schedules=100_000 if verdict == "complete" else 10_000)
    assert result.verdict == verdict
    assert len(SEEN) == orders(threads, sections)


@pytest.mark.parametrize("scheduler", ["random", "portfolio", "exhaustive"])
def test_lock_made_at_import_of_a_loaded_module(scheduler: str) -> None:
    SEEN.clear()
    result = explore(module_locked, scheduler=scheduler, schedules=200)
    assert result.failures == []
    assert {(0, 1), (1, 0)} == SEEN
    assert not MODULE_LOCK.locked()


def test_deadlock_on_a_module_lock_leaves_it_free() -> None:
    result = explore(held_for_ever, schedules=3)
    assert [failure.kind for failure in result.failures] == ["deadlock"]
    assert not MODULE_LOCK.locked()
    assert type(MODULE_LOCK) is type(threading.Lock())
