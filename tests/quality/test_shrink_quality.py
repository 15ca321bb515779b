"""Each small program shrinks to its one minimal failing schedule, whatever failed first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_programs import PROGRAMS

from harness.explore import as_program
from harness.findings import shows
from harness.kernel.conflicts import heat
from harness.kernel.labels import describe_pending
from harness.kernel.outcome import Outcome
from harness.laboratory import open_laboratory
from harness.program import Program, Setting, execute
from harness.schedulers.registry import make_scheduler
from harness.shrink.schedule import Shrunk, shrink_schedule
from harness.shrink.size import interruptions
from harness.traces.signature import failure_identity

SEARCHES = [("portfolio", 0), ("portfolio", 3), ("random", 1), ("random", 2), ("pct3", 0), ("pct3", 4)]


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
    "lost update": Least(
        "0 1 2 1 3",
        ("1 before write Counter.value in Counter.add, 2 runs",),
    ),
    "lost update of threads": Least(
        "0 1 2 1 0",
        ("1 before write Counter.value in Counter.add, 2 runs",),
    ),
    "check then act": Least(
        "0 1 0",
        ("0 before write-item dict[key] in Cache.look_up, 1 runs",),
    ),
    "crossed locks": Least(
        "0 1",
        ("0 before acquire Lock in Crossed.one, 1 runs",),
    ),
    "philosophers": Least(
        "0 2 1",
        ("0 before acquire Lock in Forks.eat, 2 runs",),
    ),
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
    "lost wake-up": Least(
        "0 1 0",
        ("0 before acquire RLock in Waiting.wait, 1 runs",),
    ),
    "reorder_3": Least(
        "0 2 0 1",
        ("0 before write Flags.b in Flags.set, 2 runs",),
    ),
    "reorder_4": Least(
        "0 3 0 1 2",
        ("0 before write Flags.b in Flags.set, 3 runs",),
    ),
    "twostage": Least(
        "0 1 0",
        ("0 before acquire Lock in TwoStages.write, 1 runs",),
    ),
    "wronglock": Least(
        "0 1 2 1",
        ("1 before read WrongLock.value in WrongLock.by_data, 2 runs",),
    ),
    "order": Least(
        "1 0",
        (),
    ),
    "noisy ping-pong": Least(
        "0 1 2 1 2 3 1",
        (
            "1 before write Noisy.value in Noisy.move, 2 runs",
            "2 before write-item list[0] in Noisy.stir, 1 runs",
        ),
    ),
}
"""What every search that fails at all comes down to, whichever run failed first."""


@contextmanager
def failing(program: Program, scheduler: str, seed: int) -> Iterator[tuple[Outcome | None, Setting]]:
    """The first failing run of a search, in an open laboratory; None where it finds none."""
    setting = Setting(bytearray(1 << 16), seed=seed)
    chosen = make_scheduler(scheduler, seed)
    with open_laboratory(program.modules()):
        for number in range(4000):
            chosen.begin(number)
            outcome = execute(program, chosen, setting)
            chosen.end(outcome)
            if outcome.failures:
                yield outcome, setting
                return
            heat(outcome.events, setting.hot)
        yield None, setting


def same_failure(outcome: Outcome, setting: Setting, program: Program) -> Shrunk:
    return shrink_schedule(program, outcome, setting, shows(failure_identity(outcome.failures[0])))


@pytest.mark.parametrize("name", LEAST)
def test_every_search_ends_at_the_minimum(name: str) -> None:
    found = set()
    for scheduler, seed in SEARCHES:
        program = as_program(PROGRAMS[name]())
        with failing(program, scheduler, seed) as (outcome, setting):
            if outcome is None:
                # PCT with two change points does not find what needs more of them.
                assert scheduler == "pct3"
                continue
            shrunk = same_failure(outcome, setting, program)
        assert shrunk.steady
        assert shrunk.necessity is not None
        assert shrunk.necessity.complete
        assert len(shrunk.necessity.preemptions) == shrunk.size.preemptions
        found.add(Least.of(shrunk))
    assert found == {LEAST[name]}
