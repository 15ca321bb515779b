"""A night that was killed goes on where it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from semafuzz.campaign.night import CampaignState, ShardResult
from semafuzz.campaign.plan import make_plan
from semafuzz.harness.errors import UsageError
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result

PLAN = make_plan("0" * 12, "reference", ("a", "b"), 7, each=2, schedules=101, seconds=5.0)


def test_equal_data_is_an_equal_plan() -> None:
    again = make_plan("0" * 12, "reference", ("a", "b"), 7, each=2, schedules=101, seconds=5.0)
    assert again == PLAN
    assert [(one.release, one.share, one.schedules) for one in PLAN.shards] == [
        ("a", "0/2", 51), ("b", "0/2", 51), ("a", "1/2", 51), ("b", "1/2", 51),
    ]  # fmt: skip
    assert len({one.name for one in PLAN.shards}) == 4
    seeds = {(one.release, one.seed) for one in PLAN.shards}
    assert len(seeds) == 2, "searches of one release share its small programs"
    other = make_plan("0" * 12, "reference", ("a", "b"), 8, each=2, schedules=101, seconds=5.0)
    assert not seeds & {(one.release, one.seed) for one in other.shards}


def test_what_has_ended_is_not_done_again(tmp_path: Path) -> None:
    night = CampaignState(tmp_path)
    assert night.plan() is None
    night.begin(PLAN)
    assert CampaignState(tmp_path).plan() == PLAN
    first, second, *rest = PLAN.shards
    night.note(first, ShardResult(Result("reference", "portfolio", 1), "work", ("once",)))
    night.note(second, ShardResult(None, "", ("twice", "thrice")))
    again = CampaignState(tmp_path)
    assert again.open_shards(PLAN) == rest
    ended = again.ended(first)
    assert ended is not None
    assert ended.result is not None
    assert ended.result.program == "reference"
    again.end(PLAN)
    assert again.plan() is None
    assert not (tmp_path / "night").exists()


def test_attempts_have_folders_of_their_own(tmp_path: Path) -> None:
    night = CampaignState(tmp_path)
    made = [night.attempt("shard-000") for _ in range(3)]
    assert len(set(made)) == 3
    assert all(path.is_dir() for path in made)


def test_findings_are_where_the_corpus_is_now(tmp_path: Path) -> None:
    night = CampaignState(tmp_path / "old")
    night.begin(PLAN)
    folder = night.attempt("shard-000")
    (folder / "a.json").write_text("{}")
    finding = Finding("invariant", "", "abc", str(folder / "a.json"), (), "", 1, 0, 0, True)
    lost = replace(finding, trace=str(folder / "b.json"))
    result = Result("reference", "portfolio", 1, failures=[finding, lost, replace(finding, trace="")])
    night.note(PLAN.shards[0], ShardResult(result, folder.name))
    (tmp_path / "old").rename(tmp_path / "new")
    moved = CampaignState(tmp_path / "new")
    ended = moved.ended(PLAN.shards[0])
    assert ended is not None
    assert [one.trace for one in moved.findings(ended)] == [str(tmp_path / "new/night/work/shard-000-0/a.json")]


@pytest.mark.parametrize("name", ["plan.json", "shard-000.json"])
@pytest.mark.parametrize("damaged", [b"", b"{", b"{}", b"\xff" * 10])
def test_a_damaged_night_is_named(tmp_path: Path, name: str, damaged: bytes) -> None:
    night = CampaignState(tmp_path)
    night.begin(PLAN)
    (tmp_path / "night" / name).write_bytes(damaged)
    with pytest.raises(UsageError, match="delete the folder"):
        night.plan() if name == "plan.json" else night.open_shards(PLAN)


def test_a_plan_that_could_not_be_read_back_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="give shorter"):
        make_plan("0" * 12, "x" * 300, ("a",), 7, each=1, schedules=1, seconds=1.0)
