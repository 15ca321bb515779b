"""What is tried of a small program: nothing twice, left and gone on with, and who does not meet is soon done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from semafuzz import TaskProgram
from semafuzz.harness.kernel import current
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.small_program import MOST_ACCESSES, SmallProgram, meet_in_memory
from semafuzz.harness.schedulers.stale_pairs import StalePairs

THIS = sys.modules[__name__]


class Shared:
    """A counter, another one, and a lock."""

    def __init__(self) -> None:
        self.first = self.second = 0
        self.lock = threading.Lock()

    def add(self, guarded: bool) -> None:
        if guarded:
            with self.lock:
                self.first += 1
        else:
            self.first += 1

    def add_elsewhere(self) -> None:
        self.second += 1

    def call(self, name: str, count: int) -> None:
        for number in range(count):
            assert current.execution is not None
            current.execution.io(f"{name}{number}")


def tried(*tasks: Callable[[Shared], object], turns: tuple[int, ...] = (100,)) -> tuple[SmallProgram, list[str]]:
    """What was made in these turns: the orders of events."""
    program = TaskProgram(Shared, list(tasks), None, under_test=[THIS])
    scheduler = SmallProgram(OneChangeSweep(sees_memory=True), StalePairs(), RandomWalk(0))
    found = []
    with controlled_session([THIS]) as laboratory:
        setting = ExecutionConfig(bytearray(1 << 16))
        for allowed in turns:
            scheduler.allowed = allowed
            while scheduler.begin(0):
                outcome = execute(program, scheduler, setting)
                scheduler.end(outcome)
                laboratory.control.between_executions()
                found.append(" ".join(f"{event[1].index}{event[3]}" for event in outcome.events))
    return scheduler, found


def test_tasks_that_do_not_meet_are_soon_done() -> None:
    scheduler, found = tried(Shared.add_elsewhere, lambda shared: shared.add(guarded=False))
    assert (scheduler.done, scheduler.met, len(found)) == (True, False, 2)


def test_a_common_lock_is_no_meeting_in_memory_and_another_one_is() -> None:
    guarded, _ = tried(lambda shared: shared.add(guarded=True), lambda shared: shared.add(guarded=True))
    unguarded, found = tried(lambda shared: shared.add(guarded=True), lambda shared: shared.add(guarded=False))
    assert guarded.done
    assert (unguarded.done, unguarded.met) == (True, True)
    assert guarded.executions == unguarded.executions - MOST_ACCESSES, "switches at accesses come to it"
    assert len(found) == unguarded.executions


def test_it_goes_on_where_it_was_left() -> None:
    tasks = (lambda shared: shared.call("a", 5), lambda shared: shared.call("b", 4))
    at_once, every = tried(*tasks)
    in_turns, pieces = tried(*tasks, turns=(2, 3, 1, 100))
    assert at_once.done
    assert in_turns.done
    assert pieces == every
    assert len(every) > 9


def test_accesses_to_other_objects_do_not_meet() -> None:
    program = TaskProgram(Shared, [Shared.add_elsewhere, Shared.add_elsewhere], None, under_test=[THIS])
    with controlled_session([THIS]):
        outcome = execute(program, RandomWalk(0), ExecutionConfig(bytearray(1 << 16)))
    assert meet_in_memory(outcome.events)
    assert not meet_in_memory([event for event in outcome.events if event[1].index == 0])
