"""The reduction makes one execution for each Mazurkiewicz trace, of programs whose traces somebody counted."""

from __future__ import annotations

import pytest

from semafuzz import explore
from semafuzz.commands.bench.run import load
from semafuzz.harness.schedulers.dpor.scheduler import DPOR
from semafuzz.targets.classics import CLASSICS, Classic

FEW = 40
COUNTED = [classic for classic in CLASSICS if classic.traces is not None and classic.traces <= FEW]
MANY = [classic for classic in CLASSICS if classic.traces is not None and FEW < classic.traces <= 5_000]


def prove(classic: Classic) -> None:
    reduction = DPOR()
    result = explore(load(classic), scheduler=reduction, schedules=20_000, stop_on_first=False)
    assert (result.schedules, result.classes) == (classic.traces, classic.traces)
    assert (reduction.blocked, reduction.irregular) == (0, "")
    assert result.verdict == ("found" if classic.fails else "complete")


@pytest.mark.parametrize("classic", COUNTED, ids=[classic.name for classic in COUNTED])
def test_one_execution_for_each_trace(classic: Classic) -> None:
    prove(classic)


@pytest.mark.slow
@pytest.mark.parametrize("classic", MANY, ids=[classic.name for classic in MANY])
def test_one_execution_for_each_of_many_traces(classic: Classic) -> None:
    prove(classic)
