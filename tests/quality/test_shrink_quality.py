"""Each small program shrinks to its one minimal failing schedule, whatever failed first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import small_programs
from small_programs import PROGRAMS, Counter

from semafuzz import TaskProgram, explore
from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.naming import describe_pending
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import as_program
from semafuzz.harness.search.recorder import has_failure
from semafuzz.harness.shrink.schedule import Shrunk, shrink_schedule
from semafuzz.harness.shrink.size import interruptions, preemptions
from semafuzz.harness.traces.signature import failure_identity

SEARCHES = [("portfolio", 0), ("portfolio", 3), ("random", 1), ("random", 2), ("pct3", 0), ("pct3", 4)]
DEEP = {"chain of 4", "ping-pong"}
"""Three preemptions are more than pct3 makes."""


class Least(NamedTuple):
    """A minimal failing run: who runs, turn by turn; who is interrupted where, and for whom."""

    turns: str
    interrupted: tuple[str, ...]

    @classmethod
    def of(cls, shrunk: Shrunk) -> Least:
        turns = " ".join(str(task) for task, _ in shrunk.size.turns)
        return cls(turns, tuple(_words(shrunk.outcome)))


def _words(outcome: Outcome) -> Iterator[str]:
    for decision in interruptions(outcome):
        pending = decision.pending[decision.enabled.index(decision.current)]
        yield f"{decision.current} before {describe_pending(pending)}, {decision.chosen} runs"


LEAST = {
    "order": Least("1 0", ()),
    "lost update": Least("0 1 2 1 3", ("1 before write Counter.value in Counter.add, 2 runs",)),
    "lost update of threads": Least("0 1 2 1 0", ("1 before write Counter.value in Counter.add, 2 runs",)),
    "check then act": Least("0 1 0", ("0 before write-item dict[key] in Cache.look_up, 1 runs",)),
    "crossed locks": Least("0 1", ("0 before acquire Lock in Crossed.one, 1 runs",)),
    "philosophers": Least("0 2 1", ("0 before acquire Lock in Forks.eat, 2 runs",)),
    "lost wake-up": Least("0 1 0", ("0 before acquire RLock in Waiting.wait, 1 runs",)),
    "reorder_3": Least("0 2 0 1", ("0 before write Flags.b in Flags.set, 2 runs",)),
    "reorder_4": Least("0 3 0 1 2", ("0 before write Flags.b in Flags.set, 3 runs",)),
    "twostage": Least("0 1 0", ("0 before acquire Lock in TwoStages.write, 1 runs",)),
    "wronglock": Least("0 1 2 1", ("1 before read WrongLock.value in WrongLock.by_data, 2 runs",)),
    "chain of 3": Least(
        "0 1 2 1 0",
        (
            "0 before write Chain.first in Chain.show_first, 1 runs",
            "1 before write Chain.second in Chain.show_second, 2 runs",
        ),
    ),
    "chain of 4": Least(
        "0 1 2 3 2 1 0",
        (
            "0 before write Chain.first in Chain.show_first, 1 runs",
            "1 before write Chain.second in Chain.show_second, 2 runs",
            "2 before write Chain.third in Chain.show_third, 3 runs",
        ),
    ),
    "ping-pong": Least(
        "0 1 0 1 0",
        (
            "0 before write PingPong.value in PingPong.move, 1 runs",
            "1 before read PingPong.value in PingPong.watch, 0 runs",
            "0 before write PingPong.value in PingPong.move, 1 runs",
        ),
    ),
}


@contextmanager
def failing(program: Program, scheduler: str, seed: int) -> Iterator[tuple[Outcome, ExecutionConfig]]:
    """The first failing run of a search, in an open laboratory."""
    setting = ExecutionConfig(bytearray(1 << 16), seed=seed)
    chosen = make_scheduler(scheduler, seed)
    with controlled_session(program.modules()):
        for number in range(20_000):
            chosen.begin(number)
            outcome = execute(program, chosen, setting)
            chosen.end(outcome)
            if outcome.failures:
                yield outcome, setting
                return
            mark_scheduling_points(outcome.events, setting.hot)
        pytest.fail("nothing was found")


def same_failure(outcome: Outcome, setting: ExecutionConfig, program: Program) -> Shrunk:
    return shrink_schedule(program, outcome, setting, has_failure(failure_identity(outcome.failures[0])))


LONG = {"lost update", "reorder_4", "wronglock", "chain of 4"}
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in LEAST]


@pytest.mark.parametrize("name", NAMES)
def test_every_search_ends_at_the_minimum(name: str) -> None:
    found = set()
    for scheduler, seed in SEARCHES:
        if name in DEEP:
            scheduler = scheduler.replace("pct3", "pct5")
        program = as_program(PROGRAMS[name]())
        with failing(program, scheduler, seed) as (outcome, setting):
            shrunk = same_failure(outcome, setting, program)
        assert shrunk.steady
        assert shrunk.finished
        assert shrunk.necessity is not None
        assert shrunk.necessity.complete
        assert len(shrunk.necessity.preemptions) == shrunk.size.preemptions
        found.add(Least.of(shrunk))
    assert found == {LEAST[name]}


@pytest.mark.parametrize("name", NAMES)
def test_shrinking_what_was_shrunk_changes_nothing(name: str) -> None:
    program = as_program(PROGRAMS[name]())
    with failing(program, "portfolio", 1) as (outcome, setting):
        once = same_failure(outcome, setting, program)
        twice = same_failure(once.outcome, setting, program)
    assert twice.outcome is once.outcome
    assert (twice.size, twice.necessity) == (once.size, once.necessity)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["portfolio", "random"])
def test_noise_is_taken_away(scheduler: str) -> None:
    """Some forty preemptions, of which two matter."""
    program = as_program(PROGRAMS["noisy ping-pong"]())
    with failing(program, scheduler, 0) as (outcome, setting):
        assert preemptions(outcome) > 30
        shrunk = same_failure(outcome, setting, program)
    assert shrunk.necessity is not None
    assert shrunk.necessity.complete
    assert Least.of(shrunk) == Least(
        "0 1 2 1 2 3 1",
        (
            "1 before write Noisy.value in Noisy.move, 2 runs",
            "2 before write-item list[0] in Noisy.stir, 1 runs",
        ),
    )


@pytest.mark.parametrize("times", range(1, 12))
@pytest.mark.parametrize("name", ["crossed locks", "chain of 3"])
def test_a_verdict_that_changes_is_not_shrunk(name: str, times: int) -> None:
    """It calls the first few runs failing, whatever they do, and none after those."""
    program = as_program(PROGRAMS[name]())
    calls = []

    def same(outcome: Outcome) -> bool:
        calls.append(outcome)
        return len(calls) <= times

    with failing(program, "random", 3) as (outcome, setting):
        shrunk = shrink_schedule(program, outcome, setting, same)
    assert shrunk.outcome is outcome or len(calls) <= times, "it was shrunk, and no longer called failing"


def test_a_program_that_fails_now_and_then_is_not_confirmed() -> None:
    made: list[int] = []

    def sometimes(counter: Counter) -> None:
        made.append(counter.value)
        assert len(made) % 3

    program = TaskProgram(Counter, [Counter.add, Counter.add], sometimes, under_test=[small_programs])
    found = explore(program, scheduler="random", schedules=50).failures[0]
    assert not found.confirmed
    assert found.necessity is None
