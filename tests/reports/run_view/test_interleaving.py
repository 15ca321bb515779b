"""The few lines that say how tasks got in each other's way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute as run_once
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import as_program
from semafuzz.reports.run_view.interleaving import interleaving


class Counter:
    def __init__(self) -> None:
        self.value = 0
        self.alone = 0

    def add(self) -> None:
        self.value = self.value + 1


def together(*functions: Callable[[], object]) -> None:
    threads = [threading.Thread(target=function, name=f"T{number}") for number, function in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost_update() -> None:
    counter = Counter()
    counter.alone += 1
    together(counter.add, counter.add)
    assert counter.value == 2


def long_one() -> None:
    counter = Counter()
    together(*[lambda: [counter.add() for _ in range(10)]] * 2)
    assert counter.value == 20


def deadlock() -> None:
    first, second = threading.Lock(), threading.Lock()

    def one() -> None:
        with first, second:
            pass

    def other() -> None:
        with second, first:
            pass

    together(one, other)


def nothing_shared() -> None:
    together(lambda: Counter().add(), lambda: Counter().add())


def failing(function: Callable[[], None]) -> Outcome:
    """The first run that fails, or the last of some hundred."""
    program = as_program(function)
    scheduler, setting = make_scheduler("portfolio", 0), ExecutionConfig(bytearray(b"\1") * (1 << 17))
    with controlled_session(program.modules()):
        for number in range(300):
            assert scheduler.begin(number)
            outcome = run_once(program, scheduler, setting)
            scheduler.end(outcome)
            if outcome.failures:
                break
    return outcome


def test_a_lost_update_is_told_in_order() -> None:
    lines = [" ".join(line.split()) for line in interleaving(failing(lost_update))]
    place = "test_interleaving:"
    acts = [(line.split()[0], line.rpartition(") ")[2]) for line in lines]
    assert all(place in line for line in lines)
    first = next(task for task, act in acts[1:] if act.startswith("reads"))
    second = {"T0": "T1", "T1": "T0"}[first]
    told = [(task, act) for task, act in acts if task in ("T0", "T1")]
    assert told[0] == (first, "reads Counter#1.value")
    assert told[-1] == (first, "writes Counter#1.value") or told[-1][0] == second
    assert (second, "reads Counter#1.value, writes Counter#1.value") in told
    assert not any("alone" in line for line in lines), "what one task alone touches is left out"


def test_a_deadlock_ends_with_who_waits() -> None:
    lines = interleaving(failing(deadlock))
    assert sum("takes Lock#" in line for line in lines) == 2
    assert ["waits for Lock#" in line for line in lines[-2:]] == [True, True]


def test_a_long_run_is_cut_to_what_matters() -> None:
    outcome = failing(long_one)
    lines = interleaving(outcome, limit=6)
    assert len(lines) <= 14
    assert any(line.endswith(" more)") for line in lines)
    assert len(interleaving(outcome, limit=10_000)) > len(lines)


@pytest.mark.parametrize("function", [nothing_shared])
def test_nothing_shared_nothing_told(function: Callable[[], None]) -> None:
    assert interleaving(failing(function)) == []


def test_it_says_the_same_every_time() -> None:
    assert interleaving(failing(lost_update)) == interleaving(failing(lost_update))
