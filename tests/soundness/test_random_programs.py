"""A thousand random programs against an explicit-state model: no verdict of *complete* with a final state missing,
no state that cannot be, no deadlock where none can be. Two hundred of them run always."""

from __future__ import annotations

import pytest

from semafuzz import explore
from tests.soundness.random_programs import DEADLOCK, Final, outcomes, plan, program


def judge(seed: int) -> str:
    """Explore one program; its verdict."""
    made, finals = plan(seed), set[Final]()
    possible = outcomes(made)
    result = explore(program(made, finals), scheduler="exhaustive", schedules=800, stop_on_first=False)
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
    assert {judge(seed) for seed in range(10 * tens, 10 * tens + 10)} & {"complete", "found"}


@pytest.mark.slow
@pytest.mark.parametrize("hundreds", range(2, 10))
def test_more_programs_against_the_model(hundreds: int) -> None:
    for seed in range(100 * hundreds, 100 * hundreds + 100):
        judge(seed)
