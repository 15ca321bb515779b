"""Candidate locksets: which lock guards what, and the accesses that break it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import msgspec
import pytest

from semafuzz import explore
from semafuzz.harness.detectors.lockset.eraser import Lockset, Suggestion
from semafuzz.harness.detectors.sampling import EVERY
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.program import TaskProgram
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration
from semafuzz.reports.terminal.sections import MOST, section_lines

THIS = sys.modules[__name__]
GLOBAL = threading.Lock()
SHARED: list[int] = [0]


class Store:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.second = threading.Lock()
        self.again = threading.RLock()
        self.condition = threading.Condition()
        self.value = 0
        self.items = {"a": 0}
        self.event = threading.Event()
        self.back = threading.Event()

    def add(self) -> None:
        with self.lock:
            self.value += 1

    def add_bare(self) -> None:
        self.value += 1

    def add_under_both(self) -> None:
        with self.second, self.lock:
            self.value += 1

    def add_under_second(self) -> None:
        with self.second:
            self.value += 1

    def add_again(self) -> None:
        with self.again, self.again:
            self.value += 1

    def add_under_condition(self) -> None:
        with self.condition:
            self.value += 1

    def add_globally(self) -> None:
        with GLOBAL:
            SHARED[0] += 1

    def store(self) -> None:
        with self.lock:
            self.items["a"] += 1

    def read(self) -> int:
        return self.value

    def take_and_keep(self) -> None:
        self.lock.acquire()
        self.value += 1
        self.event.set()
        self.back.wait()
        self.value += 1

    def give_back(self) -> None:
        self.event.wait()
        self.lock.release()
        self.back.set()


def learn(*tasks: Callable[[Store], object], schedules: int = 30) -> dict[str, Suggestion]:
    """The suggestions for tasks on one store, by location."""
    detector = Lockset()
    program = TaskProgram(Store, tasks, under_test=[THIS])
    with controlled_session([THIS]) as laboratory:
        search = Exploration(
            program, RandomWalk(1), laboratory, schedules=schedules, stop_on_first=False, detectors=[detector]
        )
        assert search.run().failures == []
    assert detector.report().executions == min(schedules, EVERY)
    return {one.location: one for one in detector.suggestions()}


@pytest.mark.parametrize(
    ("task", "location", "lock"),
    [
        (Store.add, "Store.value", "Store.lock"),
        (Store.add_under_both, "Store.value", "Store.lock"),
        (Store.add_again, "Store.value", "Store.again"),
        (Store.add_under_condition, "Store.value", "Store.condition"),
        (Store.add_globally, f"{__name__}.SHARED[0]", f"{__name__}.GLOBAL"),
        (Store.store, "Store.items['a']", "Store.lock"),
    ],
)
def test_what_is_always_guarded_is_suggested_and_no_warning(
    task: Callable[[Store], object], location: str, lock: str
) -> None:
    found = learn(task, task)
    assert set(found) == {location}
    assert (found[location].lock, found[location].severity, found[location].breaches) == (lock, "note", ())
    assert found[location].guarded == found[location].accesses > 0


def test_an_access_without_the_lock_is_named() -> None:
    (found,) = learn(Store.add, Store.add, Store.add_bare).values()
    assert (found.location, found.lock, found.severity) == ("Store.value", "Store.lock", "warning")
    assert {(breach.write, breach.place.partition(" ")[2]) for breach in found.breaches} == {
        (True, "(Store.add_bare)"),
        (False, "(Store.add_bare)"),
    }
    assert found.guarded < found.accesses


def test_two_locks_are_no_lock() -> None:
    (found,) = learn(Store.add, Store.add, Store.add_under_second).values()
    assert (found.lock, found.severity) == ("Store.lock", "warning")
    assert {breach.place.partition(" ")[2] for breach in found.breaches} == {"(Store.add_under_second)"}


def test_one_lock_common_to_all_is_enough() -> None:
    (found,) = learn(Store.add, Store.add_under_both).values()
    assert (found.lock, found.severity) == ("Store.lock", "note")


def test_no_lock_at_all_is_said() -> None:
    (found,) = learn(Store.add_bare, Store.add_bare).values()
    assert (found.lock, found.severity, found.guarded) == ("", "warning", 0)


def test_what_one_task_writes_or_all_only_read_needs_no_lock() -> None:
    assert learn(Store.add_bare, Store.store) == {}
    assert learn(Store.read, Store.read) == {}


def test_a_lock_given_back_by_another_task_is_held_until_then() -> None:
    found = learn(Store.take_and_keep, Store.give_back, Store.add)["Store.value"]
    last = Store.take_and_keep.__code__.co_firstlineno + 5
    assert {breach.place for breach in found.breaches} == {f"{__name__}:{last} (Store.take_and_keep)"}


def started_and_joined() -> None:
    store = Store()
    store.add_bare()
    threads = [threading.Thread(target=store.add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.value += 1
    last = threading.Thread(target=store.add_bare)
    last.start()
    last.join()
    assert store.value == 5


def not_joined() -> None:
    store = Store()
    thread = threading.Thread(target=store.add)
    thread.start()
    store.value += 1
    thread.join()


def test_before_the_start_and_after_the_join_no_lock_is_needed() -> None:
    result = explore(started_and_joined, schedules=40, detect=["lockset"])
    (section,) = result.sections
    assert [(row.data["lock"], row.severity) for row in section.rows] == [("Store.lock", "note")]


def test_between_start_and_join_it_is() -> None:
    result = explore(not_joined, schedules=40, detect=["lockset"])
    assert result.sections[0].severity == "warning"
    (row,) = result.sections[0].rows
    assert (row.data["lock"], row.severity) == ("Store.lock", "warning")
    assert any("not_joined" in breach["place"] for breach in row.data["breaches"])
    assert result.failures == []


def test_it_is_off_unless_asked_for_and_refuses_what_it_cannot_do() -> None:
    assert explore(not_joined, schedules=3).sections == []
    with pytest.raises(UsageError, match="unknown detector 'magic'"):
        explore(not_joined, detect=["magic"])
    with pytest.raises(UsageError, match="--model eventlet"):
        explore(not_joined, model="eventlet", detect=["lockset"])


def test_what_a_person_reads() -> None:
    detector = Lockset()
    assert "no location" in list(section_lines(detector.report()))[-1]
    program = TaskProgram(Store, [Store.add, Store.add, Store.add_bare, Store.store, Store.store], under_test=[THIS])
    with controlled_session([THIS]) as laboratory:
        Exploration(program, RandomWalk(0), laboratory, schedules=20, detectors=[detector]).run()
    report = detector.report()
    text = "\n".join(section_lines(report))
    assert "warning: Store.value is guarded by Store.lock at" in text
    assert "written without it:" in text
    assert "note: Store.items['a'] is guarded by Store.lock" in text
    many = msgspec.structs.replace(report, rows=report.rows * (MOST + 1))
    assert "and 1 more: --json shows all" in "\n".join(section_lines(many))
