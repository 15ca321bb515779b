"""The sweep: each place once, each task first, and nothing twice."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from semafuzz import TaskProgram, explore
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.happens_before import happens_before_class
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.shrink.schedule import preemptions

THIS = sys.modules[__name__]
LIMIT = 200


class Log:
    """What the tasks did, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.lock = threading.Lock()

    def calls(self, name: str, count: int) -> None:
        for number in range(1, count + 1):
            assert current.execution is not None
            current.execution.io(f"{name}{number}")
            self.done.append(f"{name}{number}")

    def guarded(self, name: str) -> None:
        with self.lock:
            self.calls(name, 2)
        self.calls(name + "'", 1)


def runs(program: Program, hot: int = 0, sweep: OneChangeSweep | None = None) -> list[Outcome]:
    with controlled_session([THIS]) as laboratory:
        return runs_in(laboratory, program, hot, sweep)


def runs_in(
    laboratory: ControlledSession, program: Program, hot: int = 0, sweep: OneChangeSweep | None = None
) -> list[Outcome]:
    made = []
    scheduler = sweep or OneChangeSweep()
    setting = ExecutionConfig(bytearray([hot]) * (1 << 16))
    for number in range(LIMIT):
        if not scheduler.begin(number):
            return made
        made.append(execute(program, scheduler, setting))
        scheduler.end(made[-1])
        laboratory.control.between_executions()
    raise AssertionError("the sweep does not end")


def orders(program: Program, hot: int = 0, sweep: OneChangeSweep | None = None) -> list[str]:
    """What each run did, as one word each."""
    found = []
    for outcome in runs(program, hot, sweep):
        assert not outcome.failures
        found.append(" ".join(str(name) for _, _, _, name, _ in outcome.events if str(name)[:1] in "abc" and name))
    return found


def tasks(*counts: int) -> TaskProgram[Log]:
    names = "abc"
    each = [lambda log, n=number, c=count: log.calls(names[n], c) for number, count in enumerate(counts)]
    return TaskProgram(Log, each, None, under_test=[THIS])


def test_each_task_is_left_at_each_of_its_places_once() -> None:
    assert orders(tasks(3, 2)) == [
        "a1 a2 a3 b1 b2",
        "b1 b2 a1 a2 a3",
        "a1 b1 b2 a2 a3",
        "a1 a2 a3 b1 b2",
        "b1 b2 a1 a2 a3",
        "b1 a1 a2 a3 b2",
        "a1 a2 b1 b2 a3",
    ]


def test_the_first_places_are_spread_over_all_and_over_the_tasks() -> None:
    found = orders(tasks(15, 15))[2:8]
    left_at = [(one.split()[0][0], sum(part[0] == one[0] for part in one.split()[:15])) for one in found]
    assert left_at == [("a", 7), ("b", 7), ("a", 3), ("b", 3), ("a", 11), ("b", 11)]


@pytest.mark.parametrize("counts", [(1,), (4, 4), (2, 3, 1)])
def test_as_many_schedules_as_places_and_tasks(counts: tuple[int, ...]) -> None:
    made = runs(tasks(*counts))
    assert len(made) == (sum(counts) + len(counts) if len(counts) > 1 else 1)
    assert max(map(preemptions, made)) <= 1


def test_places_that_change_nothing_can_be_passed_over() -> None:
    with_all = set(orders(tasks(3, 2)))
    found = orders(tasks(3, 2), sweep=OneChangeSweep(lambda call: call in ("a2", "b2")))
    assert len(found) == 5
    assert with_all - set(found) == {"a1 b1 b2 a2 a3", "b1 a1 a2 a3 b2"}


def test_accesses_to_memory_are_no_places() -> None:
    assert orders(tasks(3, 2), hot=1) == orders(tasks(3, 2))


def test_who_waits_for_a_lock_goes_on_as_soon_as_it_is_free() -> None:
    """It has the higher priority since the change, so that what the other does after
    its locked section comes last."""
    program = TaskProgram(Log, [lambda log: log.guarded("a"), lambda log: log.guarded("b")], None, under_test=[THIS])
    found = {text for text in orders(program) if text.startswith("a1")}
    assert "a1 a2 b1 b2 b'1 a'1" in found
    assert "a1 a2 a'1 b1 b2 b'1" in found


def test_a_task_that_waits_in_a_loop_does_not_keep_the_others_away() -> None:
    class Flag:
        def __init__(self) -> None:
            self.event = threading.Event()

        def wait(self) -> None:
            while not self.event.is_set():
                self.event.wait(0.1)

    program = TaskProgram(Flag, [Flag.wait, lambda flag: flag.event.set()], None, under_test=[THIS])
    made = runs(program)
    assert made
    assert not any(outcome.failures for outcome in made)


def test_its_end_is_not_the_end_of_all_schedules() -> None:
    result = explore(tasks(2, 2), scheduler=OneChangeSweep())
    assert (result.schedules, result.verdict, result.exhausted) == (6, "cut", False)
    assert explore(tasks(2, 2), scheduler="exhaustive").verdict == "complete"


class Shared:
    """Two locks, two attributes, and calls that leave the process."""

    def __init__(self) -> None:
        self.first = self.second = 0
        self.locks = (threading.Lock(), threading.RLock())

    def perform(self, act: Act) -> None:
        what, number = act
        if isinstance(what, tuple):
            with self.locks[number]:
                for one in what:
                    self.perform(one)
        elif what == "io":
            assert current.execution is not None
            current.execution.io(f"call {number}")
        elif what == "read":
            _ = self.second if number else self.first
        elif number:
            self.second += 1
        else:
            self.first += 1


Act = tuple[str | tuple["Act", ...], int]
SIMPLE = st.tuples(st.sampled_from(("io", "read", "write")), st.integers(0, 1))
ACTS = st.lists(st.one_of(SIMPLE, st.tuples(st.lists(SIMPLE, max_size=4).map(tuple), st.integers(0, 1))), max_size=5)


def acting(tasks: list[list[Act]]) -> TaskProgram[Shared]:
    def task_of(acts: list[Act]) -> Callable[[Shared], None]:
        def task(shared: Shared) -> None:
            for act in acts:
                shared.perform(act)

        return task

    return TaskProgram(Shared, [task_of(acts) for acts in tasks], None, under_test=[THIS])


@pytest.mark.wide
def test_what_is_passed_over_as_equivalent_is() -> None:
    """As many Mazurkiewicz traces, in no more schedules."""
    with controlled_session([THIS]) as laboratory:

        @example([[((("io", 0),), 0), ("io", 0)], [((("io", 0), ("read", 1)), 0)], [("write", 1)]])
        @settings(max_examples=200, deadline=None)
        @given(st.lists(ACTS, min_size=2, max_size=3))
        def compare(tasks: list[list[Act]]) -> None:
            every, fewer = (
                runs_in(laboratory, acting(tasks), sweep=OneChangeSweep(sees_memory=sees)) for sees in (False, True)
            )
            classes, kept = ({happens_before_class(one.events) for one in made} for made in (every, fewer))
            assert len(kept) == len(classes)
            assert len(fewer) <= len(every)

        compare()


def test_what_waits_for_a_lock_is_begun_once_while_it_is_held() -> None:
    """Without the equivalence each of the twenty calls in the section is a place."""
    section: Act = ((("io", 0),) * 20, 0)
    every, fewer = (
        runs(acting([[section], [section]]), sweep=OneChangeSweep(sees_memory=sees)) for sees in (False, True)
    )
    assert len(every) == 42
    assert len(fewer) == 4


def test_what_the_others_changed_before_they_wait_counts() -> None:
    """The second task writes before it comes to the lock, and the first reads what it
    writes at every place of its section: no two of them are equivalent."""
    section: Act = ((("io", 0), ("read", 0)) * 5, 0)
    fewer = runs(acting([[section], [("write", 0), section]]), sweep=OneChangeSweep(sees_memory=True))
    every = runs(acting([[section], [("write", 0), section]]))
    classes, kept = ({happens_before_class(one.events) for one in made} for made in (every, fewer))
    assert len(classes) == len(kept) > 6
