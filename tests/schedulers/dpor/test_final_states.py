"""What small programs come to: the reduction shows every final state that a random search does, and each class once."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable

import pytest

from semafuzz import explore
from semafuzz.harness.schedulers.dpor.scheduler import DPOR

Program = Callable[[], object]


class Box:
    """Something with attributes, made without a constructor of its own."""

    value: int
    lock: threading.Lock | None
    items: list[int]


def together(*bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def through_a_queue() -> object:
    passed: queue.Queue[Box] = queue.Queue()
    kept: list[Box] = []

    def make() -> None:
        box = Box()
        box.value = 0
        passed.put(box)
        box.value += 1

    def take() -> None:
        box = passed.get()
        box.value += 10
        kept.append(box)

    together(make, take)
    return kept[0].value


def made_in_threads() -> object:
    table: dict[str, list[int]] = {}

    def first() -> None:
        made: list[int] = []
        table["first"] = made
        made.append(1)

    def second() -> None:
        found = table.get("first")
        if found is not None:
            found.append(2)
        table["second"] = [3]

    together(first, second)
    return tuple(table["first"]), tuple(table["second"])


def a_lock_made_late() -> object:
    box, order = Box(), list[int]()
    box.lock = None

    def enter(number: int) -> None:
        if box.lock is None:
            box.lock = threading.Lock()
        with box.lock:
            order.append(number)

    together(lambda: enter(1), lambda: enter(2))
    return tuple(order)


def many_locks() -> object:
    locks, values = [threading.Lock(), threading.Lock()], [0, 0]

    def change(first: int) -> None:
        with locks[first]:
            values[first] += 1
        with locks[1 - first]:
            values[1 - first] *= 2

    together(lambda: change(0), lambda: change(1))
    return tuple(values)


def both_ends() -> object:
    left, taken = deque([1, 2]), list[int]()

    def take() -> None:
        if left:
            taken.append(left.popleft())

    together(take, take, lambda: left.appendleft(9))
    return tuple(taken), tuple(left)


def a_changing_dict() -> object:
    table, seen = {1: 1}, list[object]()

    def look() -> None:
        try:
            for key in table:
                seen.append(key)
        except RuntimeError:
            seen.append("changed")

    def add() -> None:
        table[2] = 2

    together(look, add)
    return tuple(seen)


def two_who_wait() -> object:
    condition, stock, taken = threading.Condition(), list[int](), list[tuple[str, int]]()

    def take(name: str) -> None:
        with condition:
            while not stock:
                condition.wait()
            taken.append((name, stock.pop()))

    def put() -> None:
        for number in (1, 2):
            with condition:
                stock.append(number)
                condition.notify()

    together(lambda: take("a"), lambda: take("b"), put)
    return tuple(taken)


def a_barrier() -> object:
    barrier, order = threading.Barrier(2), list[int]()

    def meet(number: int) -> None:
        order.append(number)
        barrier.wait()
        order.append(-number)

    together(lambda: meet(1), lambda: meet(2))
    return tuple(order)


def locks_that_are_tried() -> object:
    lock, order = threading.Lock(), list[int]()

    def attempt(number: int) -> None:
        if lock.acquire(blocking=False):
            order.append(number)
            lock.release()
        else:
            order.append(-number)

    together(lambda: attempt(1), lambda: attempt(2))
    return tuple(order)


def a_daemon() -> object:
    box = Box()
    box.value = 0

    def count() -> None:
        box.value = 1
        box.value = 2

    threading.Thread(target=count, daemon=True).start()
    return box.value


PROGRAMS: dict[str, tuple[Program, int]] = {
    "queue": (through_a_queue, 3),
    "made in threads": (made_in_threads, 3),
    "late lock": (a_lock_made_late, 2),
    "many locks": (many_locks, 3),
    "both ends": (both_ends, 4),
    "changing dict": (a_changing_dict, 3),
    "two who wait": (two_who_wait, 4),
    "barrier": (a_barrier, 4),
    "tried": (locks_that_are_tried, 6),
    "daemon": (a_daemon, 3),
}
"""With the number of final states that each can come to."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_final_state_is_shown(name: str) -> None:
    program, expected = PROGRAMS[name]
    reduced, drawn = set[object](), set[object]()
    reduction = DPOR()
    result = explore(lambda: reduced.add(program()), scheduler=reduction, schedules=500)
    explore(lambda: drawn.add(program()), scheduler="surw", schedules=200)
    assert (result.verdict, reduction.irregular, reduction.blocked) == ("complete", "", 0)
    assert result.schedules == result.classes
    assert reduced >= drawn
    assert len(reduced) == expected
