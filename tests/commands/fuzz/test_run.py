"""``semafuzz fuzz`` from end to end, on the real tracker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operations

pytestmark = [pytest.mark.nova, pytest.mark.slow]
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_fuzz_finds_an_error_that_replays(semafuzz: Run, tmp_path: Path) -> None:
    done = semafuzz("fuzz", "--schedules", "400", "--seconds", "600", "--seed", "2", "--json")
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
    lost = [one for one in errors if "failed_builds" in one["message"]]
    assert lost
    # What the catalogue knows is named, and not worked out again.
    assert {one["known"] for one in lost} == {"failed-builds-lost"}


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


def test_the_table_of_lock_discipline_and_a_warning_that_replays(semafuzz: Run, tmp_path: Path) -> None:
    """Warnings are findings: they make the exit code 1, and their traces replay."""
    done = semafuzz("fuzz", "--schedules", "400", "--seconds", "600", "--seed", "1", "--json")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    rows = {row["method"]: row for row in answer["lock_discipline"]}
    assert answer["lock_discipline_executions"] == answer["schedules"]
    assert rows["remove_node"]["status"] == "seen unguarded"
    assert rows["remove_node"]["writes"] == rows["remove_node"]["unguarded"] > 0
    assert rows["instance_claim"]["status"] == "always guarded"
    never = [row for row in rows.values() if row["status"] == "never executed"]
    assert all((row["calls"], row["writes"], row["unguarded"], row["place"]) == (0, 0, 0, "") for row in never)
    warnings = [one for one in answer["failures"] if one["kind"] == "lock-discipline"]
    assert {one["severity"] for one in warnings} == {"warning"}
    assert {tuple(one["operations"]) for one in warnings} <= {
        ("remove_node()",),
        ("build_failed()",),
        ("build_succeeded()",),
    }
    for one in warnings:
        assert (one["sequential"], one["confirmed"]) == (False, True)
        trace = codec.read(tmp_path / one["trace"])
        assert isinstance(trace.program, Operations)
        # Looking up a node's statistics writes only where remove_node took them away before.
        looks_up = "(ResourceTracker.build_" in one["places"][0]
        assert [operation.name for task in trace.program.tasks for operation in task].count("remove_node") == (
            looks_up or one["operations"] == ["remove_node()"]
        )
        assert sum(len(task) for task in trace.program.tasks) == 1 + looks_up
        assert one["preemptions"] <= looks_up
        assert semafuzz("replay", one["trace"], PYTHONHASHSEED="random").returncode == 1


def test_the_table_is_readable_at_80_columns(semafuzz: Run) -> None:
    done = semafuzz("fuzz", "--schedules", "2", "--seconds", "600", "--seed", "1", COLUMNS="80")
    lines = done.stdout.splitlines()
    start = lines.index("Lock discipline of ResourceTracker (nova 34.0.0)")
    table = lines[start : lines.index("", start + 3)]
    assert max(map(len, table)) <= 80
    assert table[1] == "under compute_resources, as seen in 2 executions:"
    assert any(line.split() == ["rebuild_claim", "never", "executed"] for line in table)
