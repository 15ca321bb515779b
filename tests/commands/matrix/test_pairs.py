"""``semafuzz matrix pairs``: which operations of a target may run at the same time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from semafuzz.harness.detectors.registry import merge_sections
from semafuzz.harness.traces.schema import Operations
from semafuzz.strategies.pairs.programs import name_of, pairs_of, programs_of
from semafuzz.strategies.pairs.search import PairOfOperations, PairProgram
from semafuzz.strategies.pairs.section import answer, pairs_section, picture, said
from semafuzz.targets import find_target
from semafuzz.targets.model.legality import check_content
from semafuzz.targets.model.scenario import Scenario


def program(**figures: Any) -> PairProgram:
    return PairProgram(Scenario(Operations((), ())), **figures)


def pair(first: str, second: str, *programs: PairProgram) -> PairOfOperations:
    return PairOfOperations((first, second), list(programs))


def test_a_pair_is_as_good_as_its_weakest_program() -> None:
    done = program(traces=2, schedules=2, exhausted=True)
    assert said(pair("a", "b", done, done)) == "verified for all 4 traces of 2 programs"
    assert said(pair("a", "b", done, program(traces=60, schedules=60))).startswith("not exhausted: 1 of 2 programs are")
    assert answer(pair("a", "b", done, program(schedules=3, violated=True))) == "violates"
    assert answer(pair("a", "b", done, program(schedules=3, limits=("files took part",)))) == "limited"
    assert answer(pair("a", "b", program())) == "not run"
    assert answer(pair("a", "b", done, program(impossible=True))) == "verified"


def test_a_picture_has_a_mark_for_each_pair() -> None:
    done, broken = program(schedules=1, exhausted=True), program(schedules=1, violated=True)
    lines = picture([pair("get", "get", done), pair("get", "put", broken), pair("put", "put", program())])
    assert lines[1:4] == ["get =", "put X .", "    g p"]
    assert picture([pair(f"method{n}", f"method{n}", done) for n in range(20)]) == []


def test_the_worst_comes_first_and_parts_are_put_together() -> None:
    done, broken = program(schedules=1, exhausted=True), program(schedules=2, violated=True)
    first = pairs_section([pair("a", "a", done), pair("a", "b", broken)], "Which may run together")
    assert [row.severity for row in first.rows] == ["error", None]
    second = pairs_section([pair("b", "b", done)], "Which may run together")
    (joined,) = merge_sections([[first], [second]])
    assert len(joined.rows) == 3
    assert joined.executions == 4


def test_programs_of_every_pair_are_programs_of_the_target() -> None:
    target = find_target("reference")
    names = [info.name for info in target.operations()]
    pairs = pairs_of(target, 0)
    assert len(pairs) == len(names) * (len(names) + 1) // 2
    for one in pairs:
        made = programs_of(target, one, 0)
        assert made, [name_of(unit) for unit in one]
        for scenario in made:
            check_content(scenario.content, target)
            assert [task[0].name for task in scenario.content.tasks] == [name_of(unit) for unit in one]


def asked(capsys: pytest.CaptureFixture[str], out: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run(["matrix", "pairs", "reference", *arguments, "--out", str(out), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_missing_lock_shows_in_a_pair_and_the_repaired_one_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ("--operations", "drop,update_usage")
    code, found = asked(capsys, tmp_path / "a", *chosen, "--set", "defect=missing_lock")
    assert code == 1
    assert ["drop", "update_usage"] in [one["operations"] for one in found["pairs"] if one["answer"] == "violates"]
    code, found = asked(capsys, tmp_path / "b", *chosen, "--schedules", "200")
    assert code == 0
    assert "violates" not in {one["answer"] for one in found["pairs"]}


def test_what_it_ended_before_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = asked(capsys, tmp_path, "--schedules", "30")
    assert (code, found["verdict"]) == (0, "cut")
    assert "not run" in {one["answer"] for one in found["pairs"]}


def test_help_shows_both_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["matrix", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "pairs" in shown
    assert "releases" in shown


UNSEEN = """
import mimetypes


class Box:
    def __init__(self):
        self.place = 0

    def put(self) -> None:
        mimetypes.guess_type("x.zzz")
        for number in range(30):
            self.place = number
        self.place = 0

    def take(self) -> None:
        mimetypes.guess_type("x.zzz")
        if self.place == 3:
            raise RuntimeError("seen half")
"""


def test_what_took_part_unseen_does_not_end_the_first_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "half_seen.py").write_text(UNSEEN)
    assert run(["fuzz", "half_seen.py:Box", "--schedules", "300"]) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("put | take")]
    assert "violates" in line


def test_what_took_part_unseen_stands_above_by_kind_with_how_many_pairs_it_concerns() -> None:
    def unseen(*limits: str) -> PairProgram:
        return PairProgram(Scenario(Operations((), ())), traces=1, schedules=1, limits=limits)

    threads, drawn = (f"state outlived an execution: {what}" for what in ("threads", "numbers"))
    clock, other = (f"a real clock was read: {what}" for what in ("time.time", "time.ctime"))
    pairs = [
        pair("a", "a", unseen(threads, clock)),
        pair("a", "b", unseen(drawn, other)),
        pair("b", "b", unseen(drawn)),
    ]
    lines = pairs_section(pairs, "Which may run together").lines
    assert [line for line in lines if line.startswith("unseen")] == [
        f"unseen in 2 of 3, as {clock}",
        f"unseen in 2 of 3, as {drawn}",
        f"unseen in 1 of 3, as {threads}",
    ]
