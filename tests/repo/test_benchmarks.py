"""The benchmarks run and print what they promise; how fast they are is nobody's test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def run(script: Path, *arguments: str) -> dict[str, Any]:
    """The JSON object that a benchmark prints."""
    done = subprocess.run([sys.executable, str(script), "--json", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_counter(root: Path) -> None:
    found = run(root / "benchmarks" / "counter.py", "--executions", "200", "--runs", "3", "--no-frontrun")
    assert len(found["runs"]) == 3
    assert min(rate * seconds for rate, seconds in found["runs"]) <= found["product"]
    assert 0 < found["switch_seconds"] < 1 / found["executions_per_second"], "an execution has more than one switch"


def test_trio_tasks(root: Path) -> None:
    found = run(root / "benchmarks" / "trio_tasks.py", "--executions", "60", "--runs", "2")
    for name in ("small", "longer"):
        assert found[name]["ratio"] > 0
        assert found[name]["plain_per_second"] > 0


def test_memory(root: Path) -> None:
    found = run(root / "benchmarks" / "memory.py", "--executions", "300", "--slice", "100")
    assert [executions for executions, _ in found["points"]] == [0, 100, 200, 300]
    assert found["growth_bytes"] == found["points"][-1][1] - found["points"][0][1]


def test_detectors(root: Path) -> None:
    found = run(root / "benchmarks" / "detectors.py", "--schedules", "40", "--turns", "1")
    assert set(found) == {"smallest", "transfers"}
    assert {"races", "lock-order", "all"} <= set(found["smallest"])
    assert all(ratio > 0 for ratios in found.values() for ratio in ratios.values())


def test_shrinking(root: Path) -> None:
    found = run(root / "benchmarks" / "shrink.py", "--seeds", "1", "--program", "lost update")
    (row,) = found["programs"]
    assert (row["searches"], row["after"], row["schedules"]) == (3, [1, 1], 1)


def test_many_traces(root: Path) -> None:
    found = run(root / "benchmarks" / "many_traces.py", "--traces", "20", "--pages", "3")
    assert {found[name]["cpu_seconds"] > 0 for name in ("merge", "merge again", "report")} == {True}
    assert found["merge"]["mib"] < 500


def test_the_simulation_of_a_night(root: Path) -> None:
    model = run(root / "benchmarks" / "night_simulation.py")["model"]
    assert model["1"] > model["2"] > model["3"]
    assert model["10"] > 8 * model["100"], "ten times the workers are nearly ten times as fast"
    assert model["100"] < 10 * model["1000"], "and not for ever"
