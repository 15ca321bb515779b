"""A thousand random programs against an explicit-state model: no verdict of *complete* with a final state missing,
no state that cannot be, no deadlock where none can be. Two hundred of them run always."""

from __future__ import annotations

import pytest

from semafuzz import explore
from tests.soundness.random_programs import DEADLOCK, Final, Plan, outcomes, plan, program


def judge(seed: int, most: int) -> str:
    """Explore one program under at most so many schedules; its verdict."""
    made, finals = plan(seed), set[Final]()
    possible = outcomes(made)
    small = sum(len(ops) for ops in made.threads) <= 2
    schedules = most if small else most // 4
    result = explore(program(made, finals), scheduler="exhaustive", schedules=schedules, stop_on_first=False)
    kinds = {failure.kind for failure in result.failures}
    assert kinds <= {"deadlock"}, (seed, made, result.failures)
    assert finals <= possible, (seed, made, finals - possible)
    if kinds:
        assert DEADLOCK in possible, (seed, made)
    if result.verdict == "complete":
        assert finals == possible, (seed, made, possible - finals)
    return result.verdict


@pytest.mark.parametrize("tens", range(20))
def test_programs_against_the_model(tens: int) -> None:
    for seed in range(10 * tens, 10 * tens + 10):
        judge(seed, 350)


def test_a_small_program_is_proved() -> None:
    made, finals = Plan(((("append",),), (("append",),)), (False, False)), set[Final]()
    result = explore(program(made, finals), scheduler="exhaustive", schedules=3000)
    assert (result.verdict, finals) == ("complete", outcomes(made))
    assert len(finals) == 2


@pytest.mark.slow
@pytest.mark.parametrize("fifties", range(4, 20))
def test_more_programs_against_the_model(fifties: int) -> None:
    for seed in range(50 * fifties, 50 * fifties + 50):
        judge(seed, 6000)
