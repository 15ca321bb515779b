"""What a person and a script read: everything needed, nothing that can hurt."""

from __future__ import annotations

import io
import json
import sys

import pytest

from semafuzz.harness.search.finding import Finding, in_order_of_worth
from semafuzz.harness.search.result import Result
from semafuzz.reports.formats.json_result import result_json
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.result import Progress, print_result, progress_line

HOSTILE = "x\x1b[31m\x07\n</b>[bold]y\N{RIGHT-TO-LEFT OVERRIDE}"


def finding(**changes: object) -> Finding:
    values: dict[str, object] = {
        "kind": "invariant",
        "message": HOSTILE,
        "signature": "abcdef012345",
        "trace": "out/abcdef012345.json",
        "places": ("m:1 (f)", HOSTILE),
        "task": "T",
        "schedule": 3,
        "preemptions": 1,
        "decisions": 4,
        "confirmed": True,
    }
    return Finding(**{**values, **changes})  # type: ignore[arg-type]


def test_plain_text_cannot_steer_a_terminal() -> None:
    assert plain(HOSTILE).isprintable()
    assert "[bold]" in plain(HOSTILE)
    assert len(plain("y" * 9000, 50)) == 50


def test_the_table_shows_hostile_text_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result("p", "random", 0, 3, 3, [finding(), finding(signature="b" * 12, confirmed=False, trace="t.json")])
    result.seconds = 0.5
    print_result(result, program="a.py:f")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[bold]" in out
    assert "semafuzz replay out/abcdef012345.json --program a.py:f" in out
    assert "did not repeat" in out


@pytest.mark.parametrize("verdict", ["complete", "cut", "uncontrolled"])
def test_a_quiet_result_is_short(capsys: pytest.CaptureFixture[str], verdict: str) -> None:
    result = Result("p", "random", 0, 3, verdict=verdict, notes=["a note"] if verdict == "uncontrolled" else [])
    print_result(result)
    out = capsys.readouterr().out
    assert verdict in out
    assert len(out.splitlines()) <= 3


def test_ten_findings_are_shown_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    many = [finding(signature=f"{number:012x}", severity="warning" if number > 10 else "error") for number in range(13)]
    print_result(Result("p", "random", 0, 3, 3, many[:10]))
    few = capsys.readouterr().out
    assert few.count("semafuzz replay") == 10
    assert "more" not in few
    print_result(Result("p", "random", 0, 3, 3, many))
    told = capsys.readouterr().out
    assert told.count("semafuzz replay") == 10
    assert "and 3 more (1 error, 2 warnings): " in told
    assert "semafuzz report out" in told


def test_what_is_known_is_told_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(Result("p", "random", 0, 3, 3, [finding(known="lost-update"), finding(signature="b" * 12)]))
    assert capsys.readouterr().out.count("known as lost-update") == 1


def test_errors_of_several_tasks_come_first_and_known_ones_after_new_ones() -> None:
    made = [
        finding(signature="warning", severity="warning", operations=("a", "b")),
        finding(signature="alone", operations=("a",)),
        finding(signature="sequential", operations=("a", "b"), sequential=True),
        finding(signature="known", operations=("a", "b"), known="x"),
        finding(signature="two", operations=("a", "b"), preemptions=2),
        finding(signature="one", operations=("a", "b"), preemptions=1),
    ]
    found = [one.signature for one in in_order_of_worth(made)]
    assert found == ["one", "two", "known", "alone", "sequential", "warning"]


def test_json_has_what_the_contract_names() -> None:
    answer = json.loads(result_json(Result("p", "random", 7, 3, 2, [finding()], "found")))
    assert list(answer)[:10] == [
        "program", "scheduler", "seed", "schedules", "first_failure", "failures", "verdict", "exhausted", "classes",
        "seconds",
    ]  # fmt: skip
    assert answer["failures"][0]["message"] == HOSTILE


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_rewritten_on_a_terminal_and_rare_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress()
    progress._next = 0.0
    progress.say(10, 0.0, 1)
    progress.say(20, 2.0, 1, ", more")
    progress.clear()
    progress.clear()
    assert terminal.getvalue().count("10 schedules") == 1
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    quiet = Progress()
    quiet._next = 0.0
    quiet.say(10, 1.0, 0)
    quiet.clear()
    assert log.getvalue() == "10 schedules, 10 a second, 0 distinct findings\n"
    with progress_line(enabled=False) as nothing:
        assert nothing is None
