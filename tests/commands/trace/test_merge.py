"""`semafuzz merge` and `fuzz --shard`: parts of a search, and putting them together."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Trace
from tests.conftest import Run

GOLDEN = Path(__file__).parents[2] / "traces" / "golden_v2.json"


def trace(**changes: object) -> Trace:
    """A trace with this signature, and so many events."""
    whole = codec.read(GOLDEN)
    expected = msgspec.structs.replace(whole.expected, **changes)
    return msgspec.structs.replace(whole, expected=expected)


def write(folder: Path, name: str, **changes: object) -> None:
    codec.write(trace(**changes), folder / f"{name}.json")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    write(tmp_path / "a", "one", signature="s1", events=30)
    write(tmp_path / "a", "two", signature="s2", events=10)
    write(tmp_path / "b", "other", signature="s1", events=20)
    write(tmp_path / "b", "third", signature="s3", events=5)
    return tmp_path


def test_the_smaller_of_one_signature_stays(semafuzz: Run, parts: Path) -> None:
    done = semafuzz("merge", "a", "b", "--into", "all")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 new, 1 in place of larger ones, 0 known already")
    assert {path.name: codec.read(path).expected.events for path in (parts / "all").glob("*.json")} == {
        "s1.json": 20, "s2.json": 10, "s3.json": 5,
    }  # fmt: skip


def test_order_and_repetition_make_no_difference(semafuzz: Run, parts: Path) -> None:
    for arguments in (("a", "b", "--into", "1"), ("b", "a", "--into", "2"), ("a", "--into", "3"), ("b", "--into", "3"),
                      ("1", "2", "a", "--into", "3"), ("a", "b", "a", "--into", "1")):  # fmt: skip
        assert semafuzz("merge", *arguments).returncode == 0
    assert contents(parts / "1") == contents(parts / "2") == contents(parts / "3")


def test_of_equals_always_the_same_stays(semafuzz: Run, parts: Path) -> None:
    write(parts / "c", "x", signature="s1", events=20, message="another message")
    for number, order in enumerate([("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a")]):
        assert semafuzz("merge", *order, "--into", f"into-{number}").returncode == 0
    assert contents(parts / "into-0") == contents(parts / "into-1") == contents(parts / "into-2")


def test_what_cannot_be_read_is_told_and_the_rest_is_merged(semafuzz: Run, parts: Path) -> None:
    (parts / "b" / "broken.json").write_text("{")
    write(parts / "b", "wicked", signature="../../wicked")
    done = semafuzz("merge", "a", "b", "--into", "all")
    assert done.returncode == 4
    assert "broken.json is not a trace" in done.stderr
    assert "wicked" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in (parts / "all").iterdir()} == {"s1.json", "s2.json", "s3.json"}
    assert not list(parts.parent.glob("wicked*"))


def test_a_damaged_trace_is_replaced_by_a_whole_one(semafuzz: Run, parts: Path) -> None:
    assert semafuzz("merge", "a", "b", "--into", "all").returncode == 0
    whole = contents(parts / "all")
    (parts / "all" / "s1.json").write_text("{")
    healed = semafuzz("merge", "a", "b", "--into", "all")
    assert healed.returncode == 0, healed.stderr
    assert "1 in place of damaged ones" in healed.stdout
    kept = contents(parts / "all")
    assert kept.pop("s1.json.damaged") in ("{", b"{")
    assert kept == whole


def test_a_trace_of_a_newer_semafuzz_is_not_damaged(semafuzz: Run, parts: Path) -> None:
    assert semafuzz("merge", "a", "b", "--into", "all").returncode == 0
    newer = re.sub(r'"format": \d+', '"format": 99', (parts / "all" / "s1.json").read_text())
    assert "99" in newer
    (parts / "all" / "s1.json").write_text(newer)
    refused = semafuzz("merge", "a", "b", "--into", "all")
    assert refused.returncode == 4
    assert (parts / "all" / "s1.json").read_text() == newer


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nosuch", "--into", "all"), "there is no folder nosuch"),
        (("a", "--into", "a/one.json"), "cannot write to"),
        (("a",), "--into"),
        (("--into", "all"), "DIR"),
    ],
)
def test_bad_arguments(semafuzz: Run, parts: Path, arguments: tuple[str, ...], says: str) -> None:
    done = semafuzz("merge", *arguments)
    assert done.returncode == 4
    assert says in done.stderr


@pytest.mark.slow
@pytest.mark.unmeasured
def test_shards_are_merged_and_counted_once(semafuzz: Run, tmp_path: Path) -> None:
    told = ("fuzz", "reference", "--set", "defect=missing_lock", "--schedules", "200", "--seed", "3", "--json")
    answers = []
    for number in (1, 2):
        done = semafuzz(*told, "--shard", f"{number}/2", "--out", f"part-{number}")
        assert done.returncode == 1, done.stderr
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    again = json.loads(semafuzz(*told, "--shard", "1/2", "--out", "again").stdout.splitlines()[-1])
    same = ("schedules", "programs", "classes", "first_failure", "verdict")
    assert [again[name] for name in same] == [answers[0][name] for name in same], "a shard is a function of its data"
    assert {one["signature"] for one in again["failures"]} == {one["signature"] for one in answers[0]["failures"]}
    for _ in range(2):
        assert semafuzz("merge", "part-1", "part-2", "--into", "all").returncode == 0
    signatures = {one["signature"] for answer in answers for one in answer["failures"]}
    assert {path.stem for path in (tmp_path / "all").glob("*.json")} == signatures
    assert semafuzz("report", "all", "--json").returncode == 0
    index = (tmp_path / "all" / "report" / "index.html").read_text()
    total = sum(answer["schedules"] for answer in answers)
    assert f"<b>{total}</b><span>schedules</span>" in index


@pytest.mark.parametrize("value", ["0/2", "3/2", "x", "1/", "/2", "1/2/3", "1/99999", "-1/2"])
def test_a_shard_is_k_of_n(semafuzz: Run, value: str) -> None:
    done = semafuzz("fuzz", "reference", f"--shard={value}")
    assert done.returncode == 4
    assert "--shard" in done.stderr


def test_two_programs_that_share_a_signature_are_both_kept(semafuzz: Run, tmp_path: Path) -> None:
    releases = ["34.0.0", "28.0.1", "21.1.0"]
    for number, release in enumerate(releases):
        other = msgspec.structs.replace(trace(signature="s1", events=10 + number), release=release)
        codec.write(other, tmp_path / f"part-{number}" / "s1.json")
    for number, order in enumerate(((0, 1, 2), (2, 1, 0), (1, 2, 0))):
        for part in order:
            assert semafuzz("merge", f"part-{part}", "--into", f"all-{number}").returncode == 0
    again = semafuzz("merge", "part-1", "all-1", "--into", "all-0")
    assert again.stdout.startswith("0 new, 0 in place of larger ones, 4 known already")
    assert contents(tmp_path / "all-0") == contents(tmp_path / "all-1") == contents(tmp_path / "all-2")
    assert {codec.read(path).release for path in (tmp_path / "all-0").glob("*.json")} == set(releases)


@pytest.mark.slow
def test_what_a_smaller_program_explains_is_put_aside_and_not_lost(semafuzz: Run, tmp_path: Path) -> None:
    told = ("fuzz", "reference", "--set", "defect=missing_lock", "--schedules", "600", "--seed", "3")
    for part in (1, 2, 3):
        semafuzz(*told, "--shard", f"{part}/3", "--out", f"part-{part}")
    for number, order in enumerate(((1, 2, 3), (3, 1, 2))):
        for part in order:
            assert semafuzz("merge", f"part-{part}", "--into", f"all-{number}").returncode == 0
    traces = {path.name for part in (1, 2, 3) for path in (tmp_path / f"part-{part}").glob("*.json")}
    for number in (0, 1):
        kept = {path.name for path in (tmp_path / f"all-{number}").glob("*.json")}
        explained = {path.name for path in (tmp_path / f"all-{number}" / "explained").glob("*.json")}
        assert kept | explained == traces
        assert not kept & explained
    assert contents(tmp_path / "all-0").keys() == contents(tmp_path / "all-1").keys()
