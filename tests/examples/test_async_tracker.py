"""Every defect of the async tracker is found, minimised and replayed; without defects nothing is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from async_tracker.defects import NAMES, Defects
from async_tracker.programs import SCENARIOS, program

from semafuzz import explore
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.schema import Function

BUDGET = 60
"""Schedules in which the portfolio finds each defect, whatever the seed."""

SHRUNK = {
    "unlocked_claim": ("assertion", "AssertionError: h1 uses 6, claims add up to 12", 1),
    "torn_move": ("assertion", "AssertionError: h1 uses 0, claims add up to 4", 1),
    "lost_rollback": ("assertion", "AssertionError: h", 1),
    "kept_lock": ("deadlock", "nothing can wake the waiting tasks", 1),
    "lock_order": ("deadlock", "tasks wait for each other", 1),
    "lost_wakeup": ("deadlock", "nothing can wake the waiting tasks", 1),
    "start_order": ("exception", "KeyError: 'h1'", 0),
    "swallowed_cancel": ("assertion", "AssertionError: a beat after the end", 0),
    "full_channels": ("deadlock", "nothing can wake the waiting tasks", 1),
    "late_timeout": ("assertion", "AssertionError: h1 uses 0, claims add up to 4", 1),
}
"""Of each defect the kind, how its message begins, and the fewest preemptions that show it."""


def only(name: str) -> Defects:
    """This defect and no other."""
    return replace(Defects(), **{name: True})


def test_every_defect_has_a_switch_a_program_and_an_expectation() -> None:
    assert len(NAMES) >= 10
    assert list(SCENARIOS) == list(NAMES) == list(SHRUNK)
    assert not any(getattr(Defects(), field.name) for field in fields(Defects))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_it_is_found_and_made_small(name: str, seed: int) -> None:
    result = explore(program(name, only(name)), schedules=BUDGET, seed=seed)
    assert result.verdict == "found"
    found = result.failures[0]
    kind, message, preemptions = SHRUNK[name]
    assert (found.kind, found.preemptions, found.confirmed) == (kind, preemptions, True)
    assert found.message.startswith(message)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("schedules", [200, pytest.param(5000, marks=pytest.mark.slow)])
def test_without_defects_nothing_is_found(name: str, schedules: int) -> None:
    """In the fast tier 2,000 schedules over the ten programs, in the slow one 5,000 each."""
    result = explore(program(name, Defects()), schedules=schedules, seed=3)
    assert (result.failures, result.notes) == ([], [])
    assert (result.verdict, result.schedules) == ("cut", schedules) or result.verdict == "complete"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("unlocked_claim", "torn_move"),
        ("torn_move", "lost_rollback"),
        ("lock_order", "lost_wakeup"),
        ("start_order", "lock_order"),
        ("full_channels", "late_timeout"),
    ],
)
def test_a_program_does_not_fail_by_a_defect_that_it_does_not_touch(name: str, other: str) -> None:
    assert explore(program(name, only(other)), schedules=60).failures == []


REPLAY = """
import json, sys
from dataclasses import replace
from pathlib import Path
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.codec import read
from async_tracker.defects import Defects
from async_tracker.programs import program

digests = {}
for file in sorted(Path(sys.argv[1]).glob("*.json")):
    trace = read(file)
    name = trace.program.function
    made = program(name, replace(Defects(), **{name: True}))
    with controlled_session(made.modules()) as laboratory:
        assert not laboratory.uncontrolled_reason
        again = replay(made, recorded_choices(trace), ExecutionConfig(bytearray(1 << 16), trace.model, trace.seed))
    assert again.diverged is None, (name, again.diverged)
    assert again.outcome.failures[0].kind == trace.expected.kind
    assert again.digest == trace.expected.digest, name
    digests[name] = again.digest
print(json.dumps(digests))
"""


def traced(name: str, folder: Path) -> Result:
    """Find the defect and leave a trace of it."""
    made = program(name, only(name))
    origin = Origin("function", Function("programs.py", name, "0" * 64))
    with controlled_session(made.modules()) as laboratory:
        scheduler = make_scheduler("portfolio", 0)
        return Exploration(
            made, scheduler, laboratory, schedules=BUDGET, model="trio", origin=origin, folder=folder
        ).run()


@pytest.mark.slow
def test_traces_replay_in_other_processes_under_other_hash_seeds(tmp_path: Path) -> None:
    for name in NAMES:
        assert traced(name, tmp_path).failures[0].trace
    answers = []
    for seed in ("1", "2", "random"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            [sys.executable, "-c", REPLAY, str(tmp_path)], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    assert sorted(answers[0]) == sorted(NAMES)
    assert answers[0] == answers[1] == answers[2]
