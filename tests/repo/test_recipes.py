"""The recipes of CONTRIBUTING.md, done with a small one each: a scheduler, a detector and a
report format are a file of their own and an entry in a registry, and everything shows them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from semafuzz.cli import run
from semafuzz.harness.detectors import registry as detectors
from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers import registry as schedulers
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.sections.section import Row, Section
from semafuzz.reports.formats import registry as formats
from semafuzz.reports.formats.report import Report
from tests.bank_source import BANK


@pytest.fixture(autouse=True)
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bank.py").write_text(BANK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


class LastFirst(Scheduler):
    """The enabled task that was made last."""

    name = "last-first"

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        return enabled[-1]


def test_a_scheduler(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(schedulers.SCHEDULERS, "last-first", ("the task that was made last", lambda seed: LastFirst()))
    assert run(["list", "schedulers"]) == 0
    assert "the task that was made last" in capsys.readouterr().out
    assert run(["check", "bank.py:two", "--scheduler", "last-first", "--schedules", "20", "--json"]) in (0, 1)
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["scheduler"] == "last-first"
    assert run(["check", "bank.py:two", "--scheduler", "no-such"]) == 4
    assert "last-first" in capsys.readouterr().err


class Ends(Detector):
    """How many executions ended with each number of tasks."""

    section = "ends"

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def keep(self, outcome: Outcome) -> None:
        self._seen[len(outcome.tasks)] += 1

    def report(self) -> Section:
        rows = [Row((f"{tasks} tasks", count), "warning", ("so it is",), {"tasks": tasks, "count": count})
                for tasks, count in self._seen.items()]  # fmt: skip
        return Section(self.section, "How executions end", sum(self._seen.values()), tuple(rows), ("tasks", "times"))


def test_a_detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(detectors.DETECTORS, "ends", ("how executions end", Ends))
    monkeypatch.setattr(detectors, "REPORTING", (*detectors.REPORTING, Ends))
    assert run(["list", "detectors"]) == 0
    assert "how executions end" in capsys.readouterr().out
    check = ["check", "bank.py:two", "--detect", "ends", "--keep-going", "--schedules", "30"]
    assert run(check) == 1
    text = capsys.readouterr().out
    assert "How executions end" in text
    assert "so it is" in text
    assert run([*check, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["ends"] == [{"tasks": 3, "count": answer["ends_executions"]}]
    assert run(["report", ".semafuzz", "--program", "bank.py:two"]) == 0
    assert "How executions end" in (tmp_path / ".semafuzz/report/index.html").read_text()
    log = json.loads((tmp_path / ".semafuzz/report/findings.sarif").read_text())
    (notification,) = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert (notification["level"], notification["descriptor"]["id"]) == ("warning", "ends")


def test_sections_of_several_searches_are_merged_by_their_detector() -> None:
    class Sums(Ends):
        section = "sums"

        @classmethod
        def merge(cls, sections: Sequence[Section]) -> Section:
            return Section("sums", "all", sum(one.executions for one in sections), ())

    one = Section("sums", "one", 3, ())
    other = Section("unknown", "other", 1, ())
    assert detectors.merge_sections([[one, other], [one]]) == [one, other], "one that nobody knows stays as it is"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detectors, "REPORTING", (Sums,))
        assert detectors.merge_sections([[one], [one]])[0].executions == 6


def test_a_report_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def signatures(report: Report) -> str:
        return "".join(f"{picture.signature} {severity}\n" for picture, severity in report.findings)

    monkeypatch.setitem(formats.OF_REPORTS, "signatures.txt", signatures)
    assert run(["check", "bank.py:two", "--json"]) == 1
    (failure,) = json.loads(capsys.readouterr().out.splitlines()[-1])["failures"]
    assert run(["report", ".semafuzz", "--program", "bank.py:two"]) == 0
    assert (tmp_path / ".semafuzz/report/signatures.txt").read_text() == f"{failure['signature']} error\n"
