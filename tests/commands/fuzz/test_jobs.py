"""``semafuzz fuzz --jobs``: several processes, told as one search."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from semafuzz.commands.fuzz.jobs import joined
from semafuzz.harness.detectors.discipline.table import GUARDED, NEVER, READS, SECTION, UNGUARDED, MethodRow
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.section import Section
from semafuzz.harness.traces.codec import read

TARGET = """
    import os

    from semafuzz.targets.declared.api import DeclaredTarget, operation


    class Counter:
        def __init__(self):
            self.value, self.calls, self.spoiled = 0, [], False


    class Counting(DeclaredTarget):
        def start(self, configuration):
            if os.environ.get("SPOILED"):
                raise SystemExit(3)
            return Counter()

        @operation
        def add(self, world):
            world.calls.append(1)
            world.value += 1

        @operation
        def spoil(self, world):
            world.spoiled = True

        def check(self, world):
            if world.value != len(world.calls):
                yield "an update is lost"
            if world.spoiled:
                yield "it is spoiled"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "counting.py").write_text(textwrap.dedent(TARGET))
    return tmp_path


def test_two_searches_are_told_as_one(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = run(["fuzz", "counting.py:Counting", "--jobs", "2", "--schedules", "301", "--json"])
    told: dict[str, Any] = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert code == 1
    assert sorted(one["message"] for one in told["failures"]) == ["an update is lost", "it is spoiled"]
    assert 301 <= told["schedules"] <= 302
    assert told["programs"] > 2
    for one in told["failures"]:
        # They are where those of one search are.
        assert Path(one["trace"]).parent == Path(".semafuzz")
        assert read(Path(one["trace"])).expected.message == one["message"]
        assert run(["replay", one["trace"]]) == 1


@pytest.mark.slow
def test_a_person_gets_one_table(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["fuzz", "counting.py:Counting", "--jobs", "2", "--schedules", "200"]) == 1
    said = capfd.readouterr()
    assert said.out.count("an update is lost") == 1
    assert "200 schedules of" in said.out
    assert not said.err


def test_a_search_that_fails_gives_its_exit_code(
    here: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["fuzz", "nowhere.py:Counting", "--jobs", "2"]) == 4
    assert capfd.readouterr().err.count("nowhere.py") == 1
    monkeypatch.setenv("SPOILED", "1")
    assert run(["fuzz", "counting.py:Counting", "--jobs", "2", "--schedules", "20"]) not in (0, 1)


def finding(signature: str, schedule: int = 1) -> Finding:
    return Finding("exception", "text", signature, "", (), "task-0", schedule, 1, 2, True)


def table(executions: int, *rows: MethodRow) -> Section:
    lines = (f"under lock, as seen in {executions:,} executions:",)
    columns = ("method", "lock", "writes")
    return Section(SECTION, "Tracker", executions, tuple(row.row() for row in rows), columns, lines)


def test_what_both_found_is_one_finding_and_the_figures_are_sums(tmp_path: Path) -> None:
    one, other = (Result("nova", "portfolio", 3) for _ in range(2))
    one.schedules, one.classes, one.programs, one.first_failure, one.verdict = 10, 4, 3, 7, "found"
    other.schedules, other.classes, other.programs, other.first_failure, other.verdict = 20, 5, 6, 2, "found"
    one.failures, other.failures = [finding("a"), finding("b")], [finding("b"), finding("c")]
    one.skipped, other.skipped = {"more": 2}, {"more": 3, "large": 1}
    one.notes, other.notes = ["same", "one"], ["same"]
    one.sections.append(
        table(
            10,
            MethodRow("audit", GUARDED, 5, 9, 0),
            MethodRow("drop", READS, 1, 0, 0),
            MethodRow("none", NEVER, 0, 0, 0),
        )
    )
    other.sections.append(table(
        20, MethodRow("audit", UNGUARDED, 2, 3, 1, "here"), MethodRow("drop", NEVER, 0, 0, 0)
    ))  # fmt: skip
    both = joined([one, other], tmp_path)
    assert [found.signature for found in both.failures] == ["a", "b", "c"]
    assert (both.schedules, both.classes, both.programs, both.first_failure) == (30, 9, 9, 2)
    assert (both.verdict, both.notes) == ("found", ["same", "one"])
    assert both.skipped == {"more": 5, "large": 1}
    assert both.section(SECTION) == table(
        30,
        MethodRow("audit", UNGUARDED, 7, 12, 1, "here"),
        MethodRow("drop", READS, 1, 0, 0),
        MethodRow("none", NEVER, 0, 0, 0),
    )


def test_what_escaped_in_one_is_said_of_all(tmp_path: Path) -> None:
    one, other = Result("nova", "portfolio", 3, verdict="uncontrolled"), Result("nova", "portfolio", 3, verdict="found")
    assert joined([other, one], tmp_path).verdict == "uncontrolled"
    quiet = Result("nova", "portfolio", 3)
    assert joined([quiet, quiet], tmp_path).verdict == "cut"
