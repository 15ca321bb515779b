"""Torn reads: what is written without a lock between two reads under one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from semafuzz import TaskProgram, explore
from semafuzz.harness.kernel import current
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.stale_pairs import StalePair, StalePairs
from semafuzz.harness.shrink.schedule import preemptions

THIS = sys.modules[__name__]
LIMIT = 100


def call(name: str) -> None:
    assert current.execution is not None
    current.execution.io(name)


class Rooms:
    """Someone is in one of two rooms; who counts looks into one after the other."""

    def __init__(self) -> None:
        self.rooms = [1, 0]
        self.lock = threading.Lock()
        self.counted: int | None = None

    def prepare(self) -> None:
        """Writes that all make under the lock."""
        with self.lock:
            call("save plan")
            call("save plan")

    def move(self) -> None:
        self.prepare()
        call("save first")
        self.rooms[1] = 1
        call("save second")
        self.rooms[0] = 0

    def move_locked(self) -> None:
        with self.lock:
            self.move_within()

    def move_within(self) -> None:
        call("save first")
        self.rooms[1] = 1
        call("save second")
        self.rooms[0] = 0

    def count(self) -> None:
        with self.lock:
            call("get second")
            found = self.rooms[1]
            call("get first")
            self.counted = found + self.rooms[0]

    def count_unlocked(self) -> None:
        call("get second")
        found = self.rooms[1]
        call("get first")
        self.counted = found + self.rooms[0]


def nobody_lost(rooms: Rooms) -> None:
    assert rooms.counted, "nobody is anywhere"


def writes(name: str) -> bool:
    return name.startswith("save")


def program(*tasks: Callable[[Rooms], None]) -> TaskProgram[Rooms]:
    return TaskProgram(Rooms, list(tasks), nobody_lost, under_test=[THIS])


def reads(name: str) -> bool:
    return not writes(name)


def runs(made: Program, scheduler: StalePairs) -> list[tuple[StalePair | None, Outcome]]:
    found = []
    with controlled_session([THIS]) as laboratory:
        setting = ExecutionConfig(bytearray(1 << 16))
        for number in range(LIMIT):
            if not scheduler.begin(number):
                return found
            outcome = execute(made, scheduler, setting)
            scheduler.end(outcome)
            laboratory.control.between_executions()
            found.append((scheduler._tear, outcome))
    raise AssertionError("it does not end")


def test_what_one_change_of_priority_does_not_show_is_found() -> None:
    made = program(Rooms.move, Rooms.count)
    swept = explore(made, scheduler=OneChangeSweep())
    assert swept.verdict == "cut"
    assert swept.schedules == 10
    result = explore(made, scheduler=StalePairs(may_write=writes, may_read=reads))
    assert (result.verdict, result.failures[0].preemptions) == ("found", 2)


def test_each_tear_has_a_turn_and_nothing_else() -> None:
    found = runs(program(Rooms.move, Rooms.count), StalePairs(may_write=writes, may_read=reads))
    # The writes under the lock are not stopped at, and the first read tears nothing.
    assert [tear for tear, _ in found] == [None, None, StalePair(0, 3, 1, 2), StalePair(0, 4, 1, 2)]
    assert max(preemptions(outcome) for _, outcome in found) <= 2
    failed = [tear for tear, outcome in found if outcome.failures]
    assert failed == [StalePair(0, 3, 1, 2)], "stopped before both writes, both come between the reads"


def test_without_a_section_or_an_unguarded_write_there_is_nothing_to_tear() -> None:
    for made in (program(Rooms.move_locked, Rooms.count), program(Rooms.move, Rooms.count_unlocked)):
        assert [tear for tear, _ in runs(made, StalePairs(may_write=writes, may_read=reads))] == [None, None]


def test_calls_may_read_and_write_where_nobody_says() -> None:
    found = [tear for tear, _ in runs(program(Rooms.move, Rooms.count), StalePairs())]
    assert found == [None, None, StalePair(0, 3, 1, 2), StalePair(0, 4, 1, 2)]
    # Nobody reads plans, but who knows.
    found = [tear for tear, _ in runs(program(Rooms.prepare, Rooms.move), StalePairs())]
    assert StalePair(1, 3, 0, 2) in found


def test_idle_calls_are_passed_over() -> None:
    found = runs(program(Rooms.move, Rooms.count), StalePairs(lambda name: name == "save second", writes, reads))
    assert [tear for tear, _ in found if tear] == [StalePair(0, 3, 1, 2)]


def test_its_end_is_not_the_end_of_all_schedules() -> None:
    result = explore(program(Rooms.move_locked, Rooms.count), scheduler=StalePairs(may_write=writes, may_read=reads))
    assert (result.schedules, result.verdict, result.exhausted) == (2, "cut", False)
