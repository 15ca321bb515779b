"""The systematic searches with few preemptions: how many schedules, and which."""

from __future__ import annotations

import sys

import pytest

from semafuzz import TaskProgram
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.bounded import Bounded, BoundedAt
from semafuzz.harness.shrink.schedule import preemptions

THIS = sys.modules[__name__]
LIMIT = 2000


class Steps:
    """Two tasks of three writes each."""

    def __init__(self) -> None:
        self.first = 0
        self.second = 0
        self.third = 0

    def work(self) -> None:
        self.first += 1
        self.second += 1
        self.third += 1


def runs(scheduler: Bounded) -> list[Outcome]:
    """Every run of two such tasks under a scheduler, all attributes being points."""
    program = TaskProgram(Steps, [Steps.work, Steps.work], lambda steps: None, under_test=[THIS])
    made = []
    with controlled_session([THIS]) as laboratory:
        setting = ExecutionConfig(bytearray(b"\1" * (1 << 16)))
        for number in range(LIMIT):
            if not scheduler.begin(number):
                return made
            outcome = execute(program, scheduler, setting)
            scheduler.end(outcome)
            laboratory.control.between_executions()
            made.append(outcome)
    raise AssertionError("the search does not end")


def left_at(outcome: Outcome) -> set[int]:
    """The places at which a task was preempted."""
    return {
        decision.pending[decision.enabled.index(decision.current)][3]
        for decision in outcome.decisions
        if decision.preemption
    }


@pytest.mark.parametrize("bound", [0, 1, 2])
@pytest.mark.wide
def test_every_schedule_with_so_many_preemptions_and_no_other(bound: int) -> None:
    made = runs(Bounded(bound))
    assert len({outcome.path() for outcome in made}) == len(made)
    assert {preemptions(outcome) for outcome in made} == set(range(bound + 1))
    # Either task first; then each point at which the first one can be left, and so on.
    points = sum(decision.current in decision.enabled for decision in made[0].decisions if len(decision.enabled) > 1)
    assert points > 4
    assert len(made) >= 2 * points**bound / max(1, bound)


@pytest.mark.wide
def test_preemptions_come_at_the_named_places_only() -> None:
    everywhere = runs(Bounded(2))
    sites = sorted(set().union(*map(left_at, everywhere)))
    assert len(sites) > 2
    for chosen in (sites[:1], sites[1:3]):
        made = runs(BoundedAt(2, chosen))
        expected = {outcome.path() for outcome in everywhere if left_at(outcome) <= set(chosen)}
        assert {outcome.path() for outcome in made} == expected
        assert any(left_at(outcome) == set(chosen) for outcome in made)
        assert len(made) < len(everywhere)
    assert {preemptions(outcome) for outcome in runs(BoundedAt(2, ()))} == {0}
