"""The mutants of a night: the score is in the summary, beside that of the night before, and is no news."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semafuzz.campaign.night import CampaignState
from semafuzz.campaign.plan import make_plan
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


def test_what_was_not_begun_is_told_and_scores_of_other_releases_stay(tmp_path: Path) -> None:
    night = CampaignState(tmp_path)
    plan = make_plan("0" * 12, "nova", ("33.0.2", "34.0.0"), 1, each=2, schedules=10, seconds=1.0, date="2026-11-30")
    night.begin(plan)
    mutants = NightMutants(night, plan, 60.0, 0, {})
    assert len(mutants.open()) == 2
    scores, unscored = mutants.scores("it was late")
    assert scores == []
    assert unscored == [("mutants of nova 33.0.2", "it was late"), ("mutants of nova 34.0.0", "it was late")]
    old, new = Score("33.0.2", "2026-11-29", 17, 14), Score("34.0.0", "2026-11-30", 17, 15, 2)
    keep_scores(tmp_path, [old])
    keep_scores(tmp_path, [new, Score("33.0.2", "2026-11-30", trouble="it died")])
    assert last_scores(tmp_path) == {"33.0.2": old, "34.0.0": new}
    report = NightlyReport(1, tmp_path, 10, 1, 0, mutants=[(new, Score("34.0.0", "2026-11-29", 17, 13))])
    assert "## Mutants of 34.0.0: 15 of 17 killed, 2 argued harmless (13 of 17 on 2026-11-29)" in night_page(report)


def test_a_damaged_score_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "findings").mkdir()
    (tmp_path / KEPT).write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        last_scores(tmp_path)
