"""Shrinking reaches the minimum that trying every schedule shows."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semafuzz import TaskProgram
from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.exhaustive import AllSchedules
from semafuzz.harness.shrink.schedule import shrink_schedule
from semafuzz.harness.shrink.size import preemptions, switches

THIS = sys.modules[__name__]
MOST = 3000
Step = tuple[str, int]
Ending = tuple[object, ...]


class Memory:
    """Three places, two locks, and what each task saw."""

    def __init__(self, tasks: int) -> None:
        self.places = [0, 0, 0]
        self.locks = [threading.Lock(), threading.Lock()]
        self.seen: list[list[int]] = [[] for _ in range(tasks)]

    def perform(self, number: int, steps: tuple[Step, ...]) -> None:
        for kind, place in steps:
            if kind == "read":
                self.seen[number].append(self.places[place])
            elif kind == "write":
                self.places[place] = number + 1
            elif kind == "add":
                self.places[place] += 1
            else:
                with self.locks[place % 2]:
                    self.places[place] += 2

    def ending(self) -> Ending:
        return (tuple(self.places), tuple(tuple(seen) for seen in self.seen))


def program(tasks: tuple[tuple[Step, ...], ...], ends: Callable[[Memory], object]) -> TaskProgram[Memory]:
    parts = [partial(_perform, number, steps) for number, steps in enumerate(tasks)]
    return TaskProgram(partial(Memory, len(tasks)), parts, ends, under_test=[THIS])


def _perform(number: int, steps: tuple[Step, ...], memory: Memory) -> None:
    memory.perform(number, steps)


def least_sizes(made: TaskProgram[Memory], endings: list[Ending]) -> dict[Ending, tuple[tuple[int, int], Outcome]]:
    """By ending, the fewest preemptions and switches, and the last run that had it; none where
    there are too many schedules."""
    setting = ExecutionConfig(bytearray(1 << 16))
    scheduler = AllSchedules()
    found: dict[Ending, tuple[tuple[int, int], Outcome]] = {}
    for number in range(MOST):
        if not scheduler.begin(number):
            return found
        outcome = execute(made, scheduler, setting)
        scheduler.end(outcome)
        if mark_scheduling_points(outcome.events, setting.hot):
            scheduler.restart()
            found.clear()
        else:
            size = (preemptions(outcome), switches(outcome.events))
            ending = endings[-1]
            least = min(size, found[ending][0]) if ending in found else size
            found[ending] = (least, outcome)
    return {}


steps = st.tuples(st.sampled_from(["read", "write", "add", "locked"]), st.integers(0, 2))
two_or_three_tasks = st.lists(st.lists(steps, min_size=1, max_size=4).map(tuple), min_size=2, max_size=3).map(tuple)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(two_or_three_tasks)
def test_no_schedule_is_simpler(tasks: tuple[tuple[Step, ...], ...]) -> None:
    endings: list[Ending] = []

    def note(memory: Memory) -> None:
        endings.append(memory.ending())

    made = program(tasks, note)
    with controlled_session([THIS]):
        for ending, (least, outcome) in least_sizes(made, endings).items():

            def same(run: Outcome, ending: Ending = ending) -> bool:
                return endings[-1] == ending

            shrunk = shrink_schedule(made, outcome, ExecutionConfig(bytearray(1 << 16)), same, budget=1000)
            assert shrunk.size[:2] == least, (tasks, ending)
