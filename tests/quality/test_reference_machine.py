"""The machine of the reference tracker: each seeded defect found, small, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import seed, settings

from semafuzz.commands.trace.replay_operations import replay_operations
from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.bounded import Bounded
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.strategies.machines.session import Found, run_machine
from semafuzz.strategies.machines.target import machine_of
from semafuzz.targets import find_target
from semafuzz.targets.model.configured_target import configure
from semafuzz.targets.model.scenario import scenario_of
from semafuzz.targets.reference.defects import NAMES, NONE

EXAMPLES = 1000
"""The budget: every defect is found in so many examples, each under 25 schedules."""
SMALLEST = {
    # tasks, operations, preemptions
    "missing_lock": (2, 2, 1),
    "early_release": (2, 2, 1),
    "torn_move": (2, 2, 1),
    "lost_rollback": (1, 1, 0),
    "double_drop": (2, 2, 1),
    "lost_wakeup": (2, 2, 2),
    "lock_inversion": (2, 2, 1),
    "stale_check": (2, 2, 1),
    "stale_audit": (2, 2, 1),
    "unlocked_counter": (2, 2, 1),
    "early_notify": (2, 2, 1),
    "forgotten_release": (1, 2, 0),
    "early_publication": (2, 2, 1),
    "timeout_race": (2, 2, 1),
}
AT_ONCE = ("lost_rollback", "lost_wakeup")
"""Those that every run of the tests looks for: a rolled back claim, a deadlock."""


def machine(defect: str, number: int, **settings: Any) -> Any:
    made = machine_of(configure(find_target("reference"), [f"defect={defect}"]), "ReferenceMachine", **settings)
    return seed(number)(made)


def quick(examples: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=12, database=None, derandomize=False)


def check_found(defect: str, number: int, folder: Path) -> Path:
    """Run the machine; where the trace of what it found is."""
    with pytest.raises(Found) as caught:
        run_machine(machine(defect, number, schedules=25), quick(EXAMPLES), folder)
    (command,) = [line for line in caught.value.__notes__ if line.startswith("semafuzz replay ")]
    path = Path(command.split()[2])
    trace = read(path)
    scenario = scenario_of(trace)
    (said,) = [re.match(r"It takes (\d+) ", line) for line in caught.value.__notes__ if line.startswith("It takes")]
    assert said is not None
    tasks = scenario.content.tasks
    assert (len(tasks), sum(map(len, tasks)), int(said[1])) == SMALLEST[defect], caught.value.__notes__
    assert trace.configuration["defect"] == defect
    assert replay_operations(trace).digest == trace.expected.digest
    if int(said[1]):
        check_fewest(defect, path, int(said[1]) - 1)
    return path


def check_fewest(defect: str, path: Path, bound: int) -> None:
    """No schedule of the program with at most ``bound`` preemptions fails alike."""
    trace = read(path)
    setting = ExecutionConfig(bytearray(1 << 17), "threads", 0)
    target = configure(find_target("reference"), [f"defect={defect}"])
    with target.open() as opened, controlled_session(opened.modules) as laboratory:
        program = opened.program(scenario_of(trace))
        scheduler = Bounded(bound)
        number = 0
        while scheduler.begin(number):
            outcome = execute(program, scheduler, setting)
            scheduler.end(outcome)
            if mark_scheduling_points(outcome.events, setting.hot):
                scheduler.restart()
            assert trace.expected.identity not in [failure_identity(failure) for failure in outcome.failures]
            laboratory.control.between_executions()
            number += 1
        assert number > 1


@pytest.mark.parametrize("defect", AT_ONCE)
def test_a_defect_is_found_and_made_small(defect: str, tmp_path: Path) -> None:
    check_found(defect, 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("defect", NAMES)
def test_every_defect_is_found_and_made_small(defect: str, number: int, tmp_path: Path) -> None:
    path = check_found(defect, number, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "semafuzz", "replay", str(path), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["digest"] == read(path).expected.digest


def test_every_defect_has_its_smallest_program() -> None:
    assert set(SMALLEST) == set(NAMES)


@pytest.mark.parametrize(
    ("examples", "schedules"),
    [(30, 20), pytest.param(1000, 20, marks=pytest.mark.slow)],
)
def test_without_a_defect_nothing_is_reported(examples: int, schedules: int, tmp_path: Path) -> None:
    made = machine(NONE, 1, schedules=schedules, errors_only=False)
    run_machine(made, quick(examples), tmp_path)
    assert not list(tmp_path.iterdir())
