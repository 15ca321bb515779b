"""The sweep: each place once, each task first, and nothing twice."""

from __future__ import annotations

import sys
import threading

import pytest

from harness import TaskProgram, explore
from harness.kernel import current
from harness.kernel.outcome import Outcome
from harness.laboratory import open_laboratory
from harness.program import Program, Setting, execute
from harness.schedulers.sweep import Sweep
from harness.shrink.schedule import preemptions

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


def runs(program: Program, hot: int = 0, sweep: Sweep | None = None) -> list[Outcome]:
    made = []
    with open_laboratory([THIS]) as laboratory:
        scheduler = sweep or Sweep()
        setting = Setting(bytearray([hot]) * (1 << 16))
        for number in range(LIMIT):
            if not scheduler.begin(number):
                return made
            made.append(execute(program, scheduler, setting))
            scheduler.end(made[-1])
            laboratory.control.between_executions()
    raise AssertionError("the sweep does not end")


def orders(program: Program, hot: int = 0, sweep: Sweep | None = None) -> list[str]:
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
        "a1 a2 b1 b2 a3",
        "b1 b2 a1 a2 a3",
        "a1 a2 a3 b1 b2",
        "b1 a1 a2 a3 b2",
    ]


@pytest.mark.parametrize("counts", [(1,), (4, 4), (2, 3, 1)])
def test_as_many_schedules_as_places_and_tasks(counts: tuple[int, ...]) -> None:
    made = runs(tasks(*counts))
    assert len(made) == (sum(counts) + len(counts) if len(counts) > 1 else 1)
    assert max(map(preemptions, made)) <= 1


def test_places_that_change_nothing_can_be_passed_over() -> None:
    with_all = set(orders(tasks(3, 2)))
    found = orders(tasks(3, 2), sweep=Sweep(lambda call: call in ("a2", "b2")))
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
    result = explore(tasks(2, 2), scheduler=Sweep())
    assert (result.schedules, result.verdict, result.exhausted) == (6, "cut", False)
    assert explore(tasks(2, 2), scheduler="exhaustive").verdict == "complete"
