"""The classes that the reduction visits are all that there are: counted by making every schedule."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from semafuzz import explore
from semafuzz.harness.schedulers.dpor.scheduler import DPOR

Body = tuple[str, ...]


class Shared:
    """What the threads of a random program share."""

    def __init__(self) -> None:
        self.x = 0
        self.y = 0
        self.table: dict[str, int] = {}
        self.lock = threading.Lock()
        self.other = threading.RLock()
        self.flag = threading.Event()


def perform(shared: Shared, body: Body) -> None:
    for operation in body:
        if operation == "read":
            _ = shared.x
        elif operation == "write":
            shared.x = 1
        elif operation == "other":
            shared.y = shared.x
        elif operation == "put":
            shared.table["key"] = shared.y
        elif operation == "size":
            len(shared.table)
        elif operation == "locked":
            with shared.lock:
                shared.y = 2
        elif operation == "try":
            if shared.lock.acquire(blocking=False):
                shared.lock.release()
        elif operation == "nested":
            with shared.other, shared.lock:
                shared.x = 3
        elif operation == "set":
            shared.flag.set()
        elif operation == "await" and shared.flag.is_set():
            shared.flag.wait()


OPERATIONS = ("read", "write", "write", "other", "put", "size", "locked", "locked", "try", "nested", "set", "await")


def program(seed: int) -> Callable[[], None]:
    draw = random.Random(seed)
    count = draw.choice((2, 2, 3))
    bodies = [
        tuple(draw.choice(OPERATIONS) for _ in range(draw.choice((1, 2)) if count == 2 else 1)) for _ in range(count)
    ]

    def run() -> None:
        shared = Shared()
        threads = [threading.Thread(target=perform, args=(shared, body)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


def compare(seed: int) -> bool:
    """Whether all schedules of a program could be made; if so they must have the same classes."""
    every = explore(program(seed), scheduler="all-schedules", schedules=3_000)
    if every.verdict != "complete":
        return False
    reduction = DPOR()
    reduced = explore(program(seed), scheduler=reduction, schedules=3_000)
    assert (reduced.verdict, reduced.classes) == ("complete", every.classes), seed
    assert not reduction.irregular, seed
    assert reduced.schedules == reduced.classes, seed
    return True


def test_every_class_is_visited_once() -> None:
    assert sum(compare(seed) for seed in range(12)) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("hundreds", range(1, 5))
def test_every_class_of_more_programs_is_visited_once(hundreds: int) -> None:
    assert sum(compare(seed) for seed in range(100 * hundreds, 100 * hundreds + 100)) >= 60


def test_threads_that_start_threads() -> None:
    """Tasks have other numbers where they are started in another order."""
    found: set[tuple[str, ...]] = set()

    def run() -> None:
        order: list[str] = []

        def start(name: str) -> None:
            inner = threading.Thread(target=order.append, args=(name,))
            inner.start()
            inner.join()

        threads = [threading.Thread(target=start, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found.add(tuple(order))

    reduction = DPOR()
    result = explore(run, scheduler=reduction, schedules=500)
    assert (result.verdict, reduction.irregular) == ("complete", "")
    assert found == {("a", "b"), ("b", "a")}
