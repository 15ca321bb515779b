"""The mutants of a night: the score is in the summary, beside that of the night before, and is no news."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from semafuzz.campaign.night import CampaignState
from semafuzz.campaign.plan import make_plan
from semafuzz.campaign.workers import Exit
from semafuzz.commands.nightly.mutants import KEPT, NightMutants, Score, keep_scores, last_scores
from semafuzz.commands.nightly.summary_lines import NightlyReport
from semafuzz.commands.nightly.summary_page import night_page
from semafuzz.harness.errors import UsageError
from tests.conftest import Run

BOX = """
import threading


class Box:
    def __init__(self):
        self._lock = threading.Lock()
        self.count = 0

    def add(self):
        with self._lock:
            self.count += 1

    def look(self):
        with self._lock:
            return 7
"""
NIGHT = ("nightly", "box.py:Box", "--no-pages", "--schedules", "60", "--seed", "3", "--corpus", "corpus")


def test_the_score_is_in_the_summary_and_beside_the_last_one(
    semafuzz: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "box.py").write_text(BOX)
    first = semafuzz(*NIGHT, "--mutants", "10", "--json")
    assert first.returncode == 0, first.stderr
    (score,) = json.loads(first.stdout.splitlines()[-1])["mutants"]
    assert (score["killed"], score["mutants"]) == (1, 2)
    assert score["survivors"] == ["lock is gone in Box.look (line 15)"]
    page = (tmp_path / "corpus" / "summary.md").read_text()
    assert "## Mutants of the target: 1 of 2 killed\n\n- lock is gone in Box.look (line 15): survives\n" in page
    again = semafuzz(*NIGHT, "--mutants", "10")
    assert f"mutants of the target: 1 of 2 killed (1 of 2 on {score['date']})" in again.stdout


def test_nobody_asks_and_nobody_is_told(semafuzz: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "box.py").write_text(BOX)
    assert "mutants of" not in semafuzz(*NIGHT).stdout
    assert not (tmp_path / "corpus" / KEPT).exists()


def test_what_cannot_be_mutated_was_not_searched(
    semafuzz: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "box.py").write_text("class Box:\n    def look(self):\n        return 7\n")
    done = semafuzz(*NIGHT, "--mutants", "10")
    assert done.returncode == 125
    assert "NOT SEARCHED: mutants of box.py:Box" in done.stdout
    assert "makes no lock" in done.stdout
    refused = semafuzz("nightly", "reference", "--corpus", "other", "--mutants", "10", "--schedules", "10")
    assert refused.returncode == 4
    assert "names no class whose lock could be left out" in refused.stderr


def test_what_was_not_begun_is_told_and_scores_of_other_releases_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = CampaignState(tmp_path)
    plan = make_plan("0" * 12, "nova", ("33.0.2", "34.0.0"), 1, each=2, schedules=10, seconds=1.0, date="2026-11-30")
    night.begin(plan)
    monkeypatch.setattr("semafuzz.commands.nightly.mutants.locked_methods", lambda target, release: ["A.one", "A.two"])
    mutants = NightMutants(night, plan, 60.0, 0, {})
    assert len(mutants.open()) == 4
    scores, unscored = mutants.scores("it was late")
    assert scores == []
    assert unscored == [
        ("mutants of nova 33.0.2 (2 of 2)", "it was late"),
        ("mutants of nova 34.0.0 (2 of 2)", "it was late"),
    ]
    old, new = Score("33.0.2", "2026-11-29", 17, 14), Score("34.0.0", "2026-11-30", 17, 15, 2)
    keep_scores(tmp_path, [old])
    keep_scores(tmp_path, [new])
    assert last_scores(tmp_path) == {"33.0.2": old, "34.0.0": new}
    report = NightlyReport(1, tmp_path, 10, 1, 0, mutants=[(new, Score("34.0.0", "2026-11-29", 17, 13))])
    assert "## Mutants of 34.0.0: 15 of 17 killed, 2 argued harmless (13 of 17 on 2026-11-29)" in night_page(report)


def test_a_mutant_whose_process_dies_leaves_no_score_and_has_one_more_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = CampaignState(tmp_path)
    plan = make_plan("0" * 12, "nova", ("34.0.0",), 1, each=1, schedules=10, seconds=1.0, date="2026-11-30")
    night.begin(plan)
    monkeypatch.setattr("semafuzz.commands.nightly.mutants.locked_methods", lambda target, release: ["A.one", "A.two"])
    ends = {
        "A.one": Exit(1, False, json.dumps({"mutants": [{"method": "A.one", "killed": "", "harmless": ""}]}), ""),
        "A.two": Exit(-9, False, "", "no memory"),
    }

    async def ended(command: Sequence[str], folder: Path, limits: object) -> Exit:
        return ends[command[command.index("--only") + 1]]

    monkeypatch.setattr("semafuzz.commands.nightly.mutants.run_process", ended)
    mutants = NightMutants(night, plan, 60.0, 0, {})

    async def do_all() -> None:
        for work in mutants.open():
            await work()

    trio.run(do_all)
    assert mutants.scores("late") == ([], [("mutants of nova 34.0.0 (1 of 2)", "was ended by SIGKILL: no memory")])
    assert len(mutants.open()) == 1
    ends["A.two"] = Exit(0, False, json.dumps({"mutants": [{"method": "A.two", "killed": "KeyError"}]}), "")
    trio.run(do_all)
    ((score, _),) = mutants.scores("late")[0]
    assert (score.mutants, score.killed, score.survivors) == (2, 1, ("lock is gone in A.one",))
    assert mutants.open() == []


def test_a_damaged_score_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "findings").mkdir()
    for damaged in ("{", '{"scores": [{"release": "1", "date": "a\\n# b"}]}'):
        (tmp_path / KEPT).write_text(damaged)
        with pytest.raises(UsageError, match="is damaged"):
            last_scores(tmp_path)
