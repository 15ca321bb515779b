"""Races by happens-before: reported where nothing orders two accesses, silent where something does."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable

import pytest

from semafuzz import explore
from semafuzz.harness.detectors.races.detector import Races
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration, as_program
from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.section import Row

THIS = sys.modules[__name__]


class Box:
    def __init__(self) -> None:
        self.value = 0
        self.other = 0
        self.items: dict[str, int] = {"a": 0, "b": 0}
        self.lock = threading.Lock()
        self.condition = threading.Condition()
        self.event = threading.Event()
        self.barrier = threading.Barrier(2)
        self.queue: queue.Queue[int] = queue.Queue()
        self.semaphore = threading.Semaphore(0)


def both(first: Callable[[Box], object], second: Callable[[Box], object]) -> Callable[[], None]:
    def program() -> None:
        box = Box()
        threads = [threading.Thread(target=one, args=(box,)) for one in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        box.value += 1

    program.__module__ = __name__
    return program


def write(box: Box) -> None:
    box.value = 1


def read(box: Box) -> int:
    return box.value


def write_under_lock(box: Box) -> None:
    with box.lock:
        box.value = 1


def read_under_lock(box: Box) -> None:
    with box.lock:
        assert box.value >= 0


def write_and_set(box: Box) -> None:
    box.value = 1
    box.event.set()


def wait_and_read(box: Box) -> None:
    box.event.wait()
    assert box.value == 1


def poll_and_read(box: Box) -> None:
    while not box.event.is_set():
        box.event.wait()
    assert box.value == 1


def write_and_put(box: Box) -> None:
    box.value = 1
    box.queue.put(1)


def get_and_read(box: Box) -> None:
    box.queue.get()
    assert box.value == 1


def write_and_meet(box: Box) -> None:
    box.value = 1
    box.barrier.wait()


def meet_and_read(box: Box) -> None:
    box.barrier.wait()
    assert box.value == 1


def write_and_release(box: Box) -> None:
    box.value = 1
    box.semaphore.release()


def acquire_and_read(box: Box) -> None:
    box.semaphore.acquire()
    assert box.value == 1


def notify(box: Box) -> None:
    with box.condition:
        box.value = 1
        box.condition.notify()


def wait_for_it(box: Box) -> None:
    with box.condition:
        box.condition.wait_for(lambda: box.value)


def write_item(box: Box) -> None:
    box.items["a"] = 1


def write_other_item(box: Box) -> None:
    box.items["b"] = 1


def read_all(box: Box) -> int:
    return len(list(box.items))


def count_unlocked(box: Box) -> None:
    found = box.other
    box.other = found + 1


def races_of(program: Callable[[], object]) -> tuple[list[Row], Result]:
    found = explore(program, schedules=60, detect=["races"])
    section = found.section("races")
    assert section is not None
    return list(section.rows), found


@pytest.mark.parametrize(
    ("first", "second", "location"),
    [
        (write, read, "Box.value"),
        (write, write, "Box.value"),
        (write_under_lock, read, "Box.value"),
        (write_item, write_item, "Box.items['a']"),
        (write_item, read_all, "Box.items"),
        (write_under_lock, wait_for_it, "Box.value"),
    ],
)
def test_what_nothing_orders_is_a_race(
    first: Callable[[Box], object], second: Callable[[Box], object], location: str
) -> None:
    rows, _ = races_of(both(first, second))
    assert location in {row.data["location"] for row in rows} or any(
        row.data["location"].startswith(location) for row in rows
    )
    assert all(row.severity == "note" for row in rows if not row.data["failed"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (read, read),
        (write_under_lock, read_under_lock),
        (write_and_set, wait_and_read),
        (write_and_set, poll_and_read),
        (write_and_put, get_and_read),
        (write_and_meet, meet_and_read),
        (write_and_release, acquire_and_read),
        (notify, wait_for_it),
        (write_item, write_other_item),
    ],
)
def test_what_something_orders_is_none(first: Callable[[Box], object], second: Callable[[Box], object]) -> None:
    rows, found = races_of(both(first, second))
    assert rows == []
    assert found.verdict != "found"


def test_what_comes_after_a_release_is_not_ordered_by_it() -> None:
    def set_and_write(box: Box) -> None:
        box.event.set()
        box.value = 1

    def wait_and_look(box: Box) -> None:
        box.event.wait()
        assert box.value >= 0

    rows, _ = races_of(both(set_and_write, wait_and_look))
    assert [row.data["location"] for row in rows] == ["Box.value"]
    # That the read may come first is seen without the clock of the release; that the write may, only by it.
    assert any("both orders ran" in line for row in rows for line in row.details)


def test_what_came_of_it_is_said() -> None:
    def program() -> None:
        box = Box()
        threads = [threading.Thread(target=count_unlocked, args=(box,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert box.other == 2

    program.__module__ = __name__
    made = as_program(program)
    with controlled_session(made.modules(), thorough=True) as laboratory:
        detector = Races()
        Exploration(
            made, RandomWalk(0), laboratory, schedules=100, stop_on_first=False, detectors=[detector], shrink_budget=0
        ).run()
    shown = [row for row in detector.report().rows if row.data["failed"]]
    assert shown
    assert all(row.severity == "warning" for row in shown)
    assert "executions with it failed" in shown[0].details[0]


def test_both_callers_are_shown() -> None:
    rows, _ = races_of(both(write, read))
    (row,) = rows
    assert all(any("(write)" in one or "(read)" in one for one in stack) for stack in row.data["stacks"])
    assert any("benign so far: both orders ran" in line for line in row.details)
    assert row.data["locks"] == [[], []]


def test_the_locks_that_each_side_held_are_shown() -> None:
    rows, _ = races_of(both(write_under_lock, read))
    held = [tuple(locks) for locks in rows[0].data["locks"]]
    assert sorted(held) == [(), ("Box.lock",)]


def test_it_changes_no_search() -> None:
    plain = explore(both(write_under_lock, read_under_lock), schedules=60)
    watched = explore(both(write_under_lock, read_under_lock), schedules=60, detect=["races"])
    assert (plain.schedules, plain.classes, plain.verdict) == (watched.schedules, watched.classes, watched.verdict)
