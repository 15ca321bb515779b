"""``semafuzz fuzz`` from end to end, on the real tracker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.traces import codec
from harness.traces.schema import Operations

pytestmark = [pytest.mark.nova, pytest.mark.slow]
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_fuzz_finds_an_error_that_replays(semafuzz: Run, tmp_path: Path) -> None:
    done = semafuzz("fuzz", "--schedules", "400", "--seconds", "60", "--seed", "1", "--json")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["verdict"] == "found"
    errors = [one for one in answer["failures"] if one["severity"] == "error" and not one["sequential"]]
    assert errors
    trace = codec.read(tmp_path / errors[0]["trace"])
    assert isinstance(trace.program, Operations)
    assert trace.versions["nova"] == "34.0.0"
    answers = [semafuzz("replay", errors[0]["trace"], "--json", PYTHONHASHSEED=seed) for seed in ("77", "random")]
    assert [one.returncode for one in answers] == [1, 1]
    assert {json.loads(one.stdout)["digest"] for one in answers} == {trace.expected.digest}


def test_one_seed_one_result(semafuzz: Run) -> None:
    def figures() -> tuple[object, ...]:
        done = semafuzz("fuzz", "--schedules", "80", "--seconds", "600", "--seed", "5", "--json")
        answer = json.loads(done.stdout.splitlines()[-1])
        return answer["schedules"], answer["classes"], answer["first_failure"]

    assert figures() == figures()


def test_the_eventlet_model_runs_unrewritten_code(semafuzz: Run) -> None:
    done = semafuzz("fuzz", "--model", "eventlet", "--schedules", "120", "--seconds", "60", "--json")
    assert done.returncode in (0, 1), done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["schedules"] >= 120
    assert not any("failed_builds" in one["message"] for one in answer["failures"])
