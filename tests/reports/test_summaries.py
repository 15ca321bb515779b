"""What a search came to is kept beside its traces, once each, and is told together."""

from __future__ import annotations

from pathlib import Path

import pytest

from semafuzz.harness.errors import UsageError
from semafuzz.harness.search.result import Result
from semafuzz.reports import summaries
from semafuzz.reports.summaries import MERGED, NAME, Summary, merge_summaries, read_summary, write_summary


def searched(schedules: int, target: str = "bank.py:lost") -> Summary:
    return Summary("check", target, "", "threads", Result(target, "portfolio", 0, schedules=schedules, seconds=1.0))


def total(folder: Path) -> int:
    found = read_summary(folder)
    assert found is not None
    return found.result.schedules


def test_searches_into_one_folder_are_told_together(tmp_path: Path) -> None:
    assert read_summary(tmp_path) is None
    write_summary(searched(10), tmp_path)
    assert total(tmp_path) == 10
    write_summary(searched(5, "bank.py:other"), tmp_path)
    assert total(tmp_path) == 15
    found = read_summary(tmp_path)
    assert found is not None
    assert found.target == "bank.py:lost, bank.py:other"
    write_summary(searched(7), tmp_path, alone=True)
    assert total(tmp_path) == 17, "in the place of the last one"


def test_merging_counts_each_once(tmp_path: Path) -> None:
    for number, folder in enumerate(("a", "b")):
        write_summary(searched(10 + number), tmp_path / folder)
    for _ in range(2):
        for folder in ("a", "b", "b"):
            merge_summaries(tmp_path / folder, tmp_path / "all")
    assert total(tmp_path / "all") == 21
    merge_summaries(tmp_path / "all", tmp_path / "a")
    assert total(tmp_path / "a") == 21
    merge_summaries(tmp_path / "nothing", tmp_path / "a")
    assert total(tmp_path / "a") == 21


def test_only_so_many_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "MOST", 3)
    for schedules in range(1, 9):
        write_summary(searched(schedules), tmp_path)
    assert len(list((tmp_path / MERGED).iterdir())) == 3
    assert total(tmp_path) == 8 + 7 + 6 + 5


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"command": 1}', "\udcff", "[" * 100_000])
def test_a_damaged_one_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, errors="surrogateescape")
    if not text:
        assert read_summary(tmp_path) is None
        return
    with pytest.raises(UsageError, match=r"search\.summary is no summary"):
        read_summary(tmp_path)


def test_one_that_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(UsageError, match="is no summary"):
        read_summary(tmp_path)
