"""``semafuzz bisect``: which releases are judged, and what is said of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from semafuzz.cli import run
from semafuzz.commands.report.notes_beside import notes_beside
from semafuzz.commands.trace import bisect
from semafuzz.commands.trace.bisect import GONE, REPRODUCES, UNKNOWN, Verdict, boundaries, exit_code, search
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import FORMAT, Expected, Operation, Operations, Trace

Run = Callable[..., subprocess.CompletedProcess[str]]
ANSWERS = {"y": REPRODUCES, "n": GONE, "?": UNKNOWN}


def judged(answers: str) -> tuple[list[Verdict], list[str]]:
    """The verdicts of a search over releases with these answers, and in which order
    they were asked for."""
    asked: list[str] = []

    def judge(release: str) -> Verdict:
        asked.append(release)
        return Verdict(release, ANSWERS[answers[int(release)]], "")

    return search([str(number) for number in range(len(answers))], judge), asked


@pytest.mark.parametrize(
    ("answers", "said", "code"),
    [
        ("yynn", ["first fixed release: 2 (the last affected: 1)"], 0),
        ("nnyy", ["first affected release: 2 (the last that is not: 1)"], 0),
        ("yy?n", ["first fixed release: 3, or one of 2, which cannot be judged (the last affected: 1)"], 0),
        (
            "nyn",
            ["first affected release: 1 (the last that is not: 0)", "first fixed release: 2 (the last affected: 1)"],
            0,
        ),
        ("yyy", [], 1),
        ("y?y", [], 1),
        ("nnn", [], 0),
        ("?yy", [], 125),
        ("yy?", [], 125),
        ("?yn", ["first fixed release: 2 (the last affected: 1)"], 0),
        ("??", [], 125),
    ],
)
def test_few_are_all_judged(answers: str, said: list[str], code: int) -> None:
    verdicts, asked = judged(answers)
    assert asked == [str(number) for number in range(len(answers))]
    assert [str(one) for one in boundaries(verdicts)] == said
    assert exit_code(verdicts) == code


def test_of_many_a_binary_search_asks_some() -> None:
    verdicts, asked = judged("y" * 40 + "n" * 24)
    assert len(asked) <= 9
    assert str(boundaries(verdicts)[0]) == "first fixed release: 40 (the last affected: 39)"


def test_what_is_unknown_in_the_middle_is_passed_by() -> None:
    verdicts, asked = judged("y" * 6 + "????" + "n" * 6)
    assert exit_code(verdicts) == 0
    assert str(boundaries(verdicts)[0]).startswith("first fixed release: 10, or one of 6, 7, 8, 9, which cannot")
    assert set(asked) >= {"6", "7", "8", "9"}


def test_many_with_ends_that_agree_are_not_searched() -> None:
    verdicts, asked = judged("y" * 20)
    assert sorted(asked) == ["0", "19"]
    assert exit_code(verdicts) == 1


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A trace of Nova's operations; nothing here runs it."""
    expected = Expected("invariant", "m", "0" * 12, "0" * 64, 0)
    program = Operations((), ((Operation("audit"),),))
    made = Trace(FORMAT, "nova", "34.0.0", "threads", program, 0, {}, (), (), (), expected, {}, "0")
    return codec.write(made, tmp_path / "trace.json")


def answer_with(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> None:
    def judge(trace: Path, release: str) -> Verdict:
        return Verdict(release, answers[release], "because")

    monkeypatch.setattr(bisect, "judge_release", judge)


def test_the_table_and_the_boundary(
    trace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_with(monkeypatch, {"33.0.0": REPRODUCES, "33.0.1": UNKNOWN, "33.0.2": GONE})
    arguments: Sequence[str] = ["bisect", str(trace), "--from", "33.0.0", "--to", "33.0.2"]
    assert run([*arguments]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in out[:3]] == ["33.0.0", "33.0.1", "33.0.2"]
    assert out[3] == "first fixed release: 33.0.2, or one of 33.0.1, which cannot be judged (the last affected: 33.0.0)"
    assert run([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["answer"] for one in answer["releases"]] == [REPRODUCES, UNKNOWN, GONE]
    answer_with(monkeypatch, dict.fromkeys(("33.0.0", "33.0.1", "33.0.2"), UNKNOWN))
    assert run([*arguments]) == 125
    assert "nothing can be said of the range" in capsys.readouterr().err
    assert notes_beside(trace, "bisect") == {"33.0.0": REPRODUCES, "33.0.1": UNKNOWN, "33.0.2": GONE}, (
        "kept for the report"
    )


def test_what_is_beside_a_trace_and_not_ours_is_no_answer(trace: Path) -> None:
    assert notes_beside(trace, "bisect") == {}
    for text in ("", "[]", '{"33.0.0": 1}', "{" * 10_000):
        trace.with_suffix(".bisect").write_text(text)
        assert notes_beside(trace, "bisect") == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "34.0.0", "--to", "33.0.0"], "no two releases"),
        (["--from", "x", "--to", "33.0.0"], "'x' is not a release"),
        (["--from", "33.0.0", "--to", "34.0.0", "--releases", "33.0.1,--index"], "'--index' is not a release"),
        (["--from", "33.0.0"], "--to"),
    ],
)
def test_bad_ranges_are_refused(
    trace: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert run(["bisect", str(trace), *options]) == 4
    assert words in capsys.readouterr().err


def test_given_releases_take_the_place_of_the_known(
    trace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_with(monkeypatch, {"33.0.0": REPRODUCES, "33.0.7": REPRODUCES, "34.0.0": REPRODUCES})
    assert run(["bisect", str(trace), "--from", "33.0.0", "--to", "34.0.0", "--releases", "33.0.7, 35.0.0"]) == 1
    assert "every release that was judged is affected" in capsys.readouterr().out


@pytest.mark.nova
@pytest.mark.slow
def test_a_release_is_judged_in_a_process_of_its_own(trace: Path) -> None:
    verdict = bisect.judge_release(trace, "34.0.0")
    assert verdict.answer in (GONE, UNKNOWN)
    verdict = bisect.judge_release(trace, "0.1")
    assert verdict.answer == UNKNOWN
    assert "cannot be driven" in verdict.why
