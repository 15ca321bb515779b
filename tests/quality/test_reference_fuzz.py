"""``fuzz`` over the reference tracker: each seeded defect within a budget, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.codec import read
from semafuzz.strategies.fuzz.loop import FuzzLoop
from semafuzz.strategies.fuzz.triage import Triage
from semafuzz.targets import find_target
from semafuzz.targets.model.configured_target import configure
from semafuzz.targets.model.scenario import scenario_of
from semafuzz.targets.reference.defects import NAMES, NONE

SCHEDULES = 5000
"""The budget for every defect."""


def fuzz(defect: str, seed: int, schedules: int, folder: Path) -> Result:
    target = configure(find_target("reference"), [f"defect={defect}"])
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        result = Result("reference", "portfolio", seed)
        setting = ExecutionConfig(bytearray(1 << 17), "threads", seed)
        refinement = Triage(target, opened, laboratory, setting, folder, Deadline(3600), result)
        FuzzLoop(refinement, "portfolio", schedules).run()
    return result


def check_found(defect: str, seed: int, folder: Path) -> None:
    result = fuzz(defect, seed, SCHEDULES, folder)
    assert result.failures, f"{defect} was not found in {result.schedules} schedules"
    for finding in result.failures:
        trace = read(Path(finding.trace))
        scenario = scenario_of(trace)
        # One defect shows in several ways: three tasks that wait for a lock take four.
        assert sum(map(len, scenario.content.tasks)) <= 4, scenario
        assert finding.confirmed
        assert (trace.expected.message, trace.expected.signature) == (finding.message, finding.signature)
    best = min(sum(map(len, scenario_of(read(Path(one.trace))).content.tasks)) for one in result.failures)
    assert best <= (1 if defect == "lost_rollback" else 2)


def test_without_a_defect_nothing_is_reported(tmp_path: Path) -> None:
    assert fuzz(NONE, 0, 2000, tmp_path).failures == []


@pytest.mark.slow
def test_a_defect_is_found_and_the_list_says_what_the_traces_say(tmp_path: Path) -> None:
    check_found("torn_move", 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_reported_in_20_000_schedules(seed: int, tmp_path: Path) -> None:
    result = fuzz(NONE, seed, 5000, tmp_path)
    assert result.schedules >= 5000
    assert result.failures == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("defect", NAMES)
def test_every_defect_is_found_and_made_small(defect: str, seed: int, tmp_path: Path) -> None:
    check_found(defect, seed, tmp_path)
