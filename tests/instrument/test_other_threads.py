"""Threads of a test runner or a debugger use the standard library while an execution runs."""

from __future__ import annotations

import _thread
import threading

from semafuzz import explore
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import FunctionProgram
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder

START = _thread.start_new_thread
THEIRS = threading.Event()


CALLS: list[int] = []
"""One for each round of the other thread."""
ROUNDS = [0]
"""How many of them the task waits for within its execution."""


def sets_its_own() -> None:
    mine = threading.Event()
    mine.set()
    until = len(CALLS) + ROUNDS[0]
    # Not by sleeping: time is virtual here, and the other thread would not run meanwhile.
    for _ in range(100_000_000):
        if len(CALLS) >= until:
            break
    assert len(CALLS) >= until
    assert mine.is_set()


def run() -> Outcome:
    with controlled_session([]):
        program = FunctionProgram(sets_its_own, "sets_its_own", [])
        return program.execute(SerialOrder((0,)), ExecutionConfig(bytearray(1 << 17)))


def test_what_other_threads_do_is_no_access_of_a_task() -> None:
    alone = [(event[0], event[3]) for event in run().events]
    assert (0, "_cond") in alone, "the Event of the task itself is not seen"
    ended: list[bool] = []

    def other() -> None:
        while not ended:
            THEIRS.set()
            THEIRS.is_set()
            THEIRS.clear()
            CALLS.append(1)

    ROUNDS[0] = 100
    START(other, ())
    try:
        outcome = run()
    finally:
        ended.append(True)
        ROUNDS[0] = 0
    assert outcome.failures == []
    assert [(event[0], event[3]) for event in outcome.events] == alone


FLAG = [0]


def waits_for_an_event() -> None:
    flag = threading.Event()
    FLAG[0] = 0

    def other() -> None:
        FLAG[0] = 1
        flag.set()

    thread = threading.Thread(target=other)
    thread.start()
    flag.wait()
    assert FLAG[0] == 1
    thread.join()


def test_tasks_still_wait_for_events() -> None:
    assert explore(waits_for_an_event, scheduler="exhaustive", schedules=2000).verdict == "complete"
