"""Primitives made at import, before control began, are under control."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from semafuzz import TaskProgram, explore
from semafuzz.harness.runs.session import controlled_session

THIS = sys.modules[__name__]

LOCK = threading.Lock()
RLOCK = threading.RLock()
CONDITION = threading.Condition()
PLAIN_CONDITION = threading.Condition(threading.Lock())
EVENT = threading.Event()
SEMAPHORE = threading.Semaphore(1)
BOUNDED = threading.BoundedSemaphore(1)
BARRIER = threading.Barrier(2)
QUEUE: queue.Queue[int] = queue.Queue(1)
SAME_QUEUE = QUEUE
COUNT = [0]


class Holder:
    lock = threading.Lock()
    rlock = threading.RLock()
    condition = threading.Condition()
    semaphore = threading.Semaphore(1)


GUARDS = {
    "Lock": lambda: LOCK,
    "RLock": lambda: RLOCK,
    "Condition": lambda: CONDITION,
    "Condition on a Lock": lambda: PLAIN_CONDITION,
    "Semaphore": lambda: SEMAPHORE,
    "BoundedSemaphore": lambda: BOUNDED,
    "class Lock": lambda: Holder.lock,
    "class RLock": lambda: Holder.rlock,
    "class Condition": lambda: Holder.condition,
    "class Semaphore": lambda: Holder.semaphore,
}


class State:
    def __init__(self) -> None:
        self.value = 0


def increase(state: State) -> None:
    seen = state.value
    state.value = seen + 1


def two(state: State) -> None:
    assert state.value == 2


@pytest.mark.parametrize("name", GUARDS)
def test_what_it_guards_is_safe(name: str) -> None:
    def guarded(state: State) -> None:
        with GUARDS[name]():
            increase(state)

    result = explore(TaskProgram(State, [guarded, guarded], two, under_test=[THIS]), schedules=200)
    assert (result.failures, result.verdict == "uncontrolled") == ([], False), result.notes


@pytest.mark.parametrize("name", GUARDS)
def test_holding_one_for_one_task_only_is_no_guard(name: str) -> None:
    def guarded(state: State) -> None:
        with GUARDS[name]():
            increase(state)

    result = explore(TaskProgram(State, [guarded, increase], two, under_test=[THIS]), schedules=500)
    assert result.verdict == "found"


@pytest.mark.parametrize("name", ["Lock", "Semaphore", "class Lock"])
def test_one_left_taken_is_free_in_the_next_execution(name: str) -> None:
    def take(state: State) -> None:
        assert GUARDS[name]().acquire(blocking=False)

    assert explore(TaskProgram(State, [take], under_test=[THIS]), schedules=2).failures == []
    result = explore(TaskProgram(State, [take, take], under_test=[THIS]), schedules=20)
    assert result.first_failure == 1


def wait(state: State) -> None:
    EVENT.wait()
    assert state.value == 1


def announce(state: State) -> None:
    state.value = 1
    EVENT.set()


def announce_early(state: State) -> None:
    EVENT.set()
    state.value = 1


def put(state: State) -> None:
    for number in range(3):
        QUEUE.put(number)


def get(state: State) -> None:
    assert [SAME_QUEUE.get() for _ in range(3)] == [0, 1, 2]


def put_and_leave(state: State) -> None:
    QUEUE.put(7)


def meet(state: State) -> None:
    state.value += 1
    BARRIER.wait()
    assert state.value == 2


def wake(state: State) -> None:
    with CONDITION:
        state.value = 1
        CONDITION.notify()


def sleep(state: State) -> None:
    with CONDITION:
        CONDITION.wait_for(lambda: state.value)


def sleep_unasked(state: State) -> None:
    with CONDITION:
        CONDITION.wait()


Tasks = list[Callable[[State], None]]


@pytest.mark.parametrize(("tasks", "schedules"), [([wait, announce], 100), ([put, get], 100), ([wake, sleep], 100)])
def test_waiting_works_and_starts_anew_every_time(tasks: Tasks, schedules: int) -> None:
    result = explore(TaskProgram(State, tasks, under_test=[THIS]), schedules=schedules)
    assert result.failures == []
    assert result.schedules > 1


@pytest.mark.parametrize(
    ("tasks", "kind"),
    [
        ([wait, announce_early], "assertion"),
        ([wait], "deadlock"),
        ([get], "deadlock"),
        ([wake, sleep_unasked], "deadlock"),
        ([meet], "deadlock"),
        ([meet, meet], "assertion"),
    ],
)
def test_what_goes_wrong_in_waiting_is_found(tasks: Tasks, kind: str) -> None:
    result = explore(TaskProgram(State, tasks, under_test=[THIS]), schedules=500)
    assert [failure.kind for failure in result.failures] == [kind]


def test_a_queue_is_empty_again_before_every_execution() -> None:
    """A second item would not fit in: the third execution would be a deadlock."""
    program = TaskProgram(State, [put_and_leave, increase], under_test=[THIS])
    assert explore(program, schedules=20).failures == []
    assert QUEUE.empty()
    QUEUE.put(1)
    try:
        assert explore(program, schedules=20).failures[0].kind == "deadlock"
        assert QUEUE.qsize() == 1
    finally:
        QUEUE.get()


def inside(thing: object) -> dict[str, object]:
    return {name: value for name, value in vars(thing).items() if not name.startswith("__")}


def test_the_originals_are_back_afterwards() -> None:
    things = [EVENT, CONDITION, SEMAPHORE, BARRIER, QUEUE, PLAIN_CONDITION, BARRIER._cond]  # type: ignore[attr-defined]
    before = [inside(thing) for thing in (THIS, Holder, *things)]
    with controlled_session([THIS]):
        assert type(LOCK).__module__ == type(QUEUE.mutex).__module__ == "semafuzz.harness.kernel.doubles.locks"
        assert QUEUE.mutex is QUEUE.not_empty._lock  # type: ignore[attr-defined]
    after = [inside(thing) for thing in (THIS, Holder, *things)]
    assert [list(one.values()) == list(two.values()) for one, two in zip(before, after, strict=True)] == [True] * 9


@pytest.fixture
def library() -> Iterator[ModuleType]:
    """A module that is not under test and holds locks of the one that is."""
    module = ModuleType("adoption_library")
    module.shared, module.own, module.plain = RLOCK, threading.RLock(), LOCK  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    yield module
    del sys.modules[module.__name__]


def test_elsewhere_only_locks_that_can_block_are_adopted(library: ModuleType) -> None:
    own = library.own
    with controlled_session([THIS]):
        assert library.plain is LOCK
        assert library.own is own
        assert library.shared is RLOCK
        assert type(RLOCK).__module__ == "semafuzz.harness.kernel.doubles.locks"
    assert type(library.plain).__module__ == type(library.shared).__module__ == "_thread"


def test_a_re_entrant_lock_of_two_modules_excludes(library: ModuleType) -> None:
    def by_library(state: State) -> None:
        with library.shared:
            increase(state)

    def by_this(state: State) -> None:
        with RLOCK:
            increase(state)

    program = TaskProgram(State, [by_library, by_this], two, under_test=[THIS])
    assert explore(program, schedules=200).failures == []
