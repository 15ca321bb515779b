"""`fuzz --coverage`: which lines of the target a search has run."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest

from semafuzz.reports.pages.index import ranges
from tests.campaign.test_nightly import unmeasured

FUZZ = ("fuzz", "reference", "--set", "defect=missing_lock", "--schedules", "300", "--coverage", "--out", "out")


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "semafuzz", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env=unmeasured(XDG_STATE_HOME=str(folder / "state"), **more),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_lines_and_branches_for_other_tools_and_for_the_index(tmp_path: Path, jobs: str) -> None:
    done = run(tmp_path, *FUZZ, "--jobs", jobs)
    assert done.returncode in (0, 1), done.stderr
    root = Xml.parse(tmp_path / "out" / "coverage.xml").getroot()
    names = {one.get("filename") for one in root.iter("class")}
    assert "targets/reference/tracker.py" in names
    assert float(root.get("branch-rate", "0")) > 0.2
    lcov = (tmp_path / "out" / "coverage.lcov").read_text()
    assert "SF:targets/reference/tracker.py\n" in lcov
    assert str(Path(__file__).parents[3]) not in lcov
    assert "BRDA:" in lcov
    summary = json.loads((tmp_path / "out" / "search.summary").read_text())
    (tracker,) = [one for one in summary["files"] if one["file"].endswith("tracker.py")]
    assert 0 < tracker["lines"] <= tracker["statements"]
    assert tracker["missing"]
    assert {"claim", "abort"} <= set(tracker["by"])
    assert run(tmp_path, "report", "out").returncode == 0
    index = (tmp_path / "out" / "report" / "index.html").read_text()
    assert "Which lines ran" in index


def test_without_it_nothing_is_measured(tmp_path: Path) -> None:
    assert run(tmp_path, *(one for one in FUZZ if one != "--coverage")).returncode in (0, 1)
    assert not list((tmp_path / "out").glob("coverage*"))


def test_without_coverage_py_it_is_one_clear_message(tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "coverage.py").write_text("raise ImportError('not installed')")
    done = run(tmp_path, *FUZZ, PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 4
    assert "install semafuzz[coverage]" in done.stderr


def test_line_numbers_in_short() -> None:
    assert ranges([1, 2, 3, 7, 9, 10]) == "1-3, 7, 9-10"
    assert ranges([]) == ""
    assert ranges(range(1, 100, 2), 3) == "1, 3, 5 and 47 more"
