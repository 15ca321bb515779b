"""``semafuzz bench``: the schedulers on the field's programs."""

from __future__ import annotations

import json

import pytest

from semafuzz.cli import USAGE, run


def test_a_program_with_a_defect_beside_published_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "reorder_3", "--seeds", "3", "--scheduler", "windows", "--scheduler", "surw"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("reorder_3 ")
    assert "best 6 PERIOD" in line
    assert "SURW 7" in line
    assert line.index("windows") < line.index("surw ")


def test_a_program_with_known_traces(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "locked3"]) == 0
    assert "20 traces: 20 executions, 20 classes, all of them" in capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "account", "handed", "--seeds", "2", "--scheduler", "portfolio", "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["found"]["portfolio"]["schedules"] == [1, 1]
    assert (second["executions"], second["exhausted"]) == (1, True)


def test_what_is_not_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "reorder_100", "--seeds", "1", "--schedules", "2", "--scheduler", "pos"]) == 0
    assert "pos none (none)" in capsys.readouterr().out


def test_an_unknown_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "nonsense"]) == USAGE
    assert "no classic is called 'nonsense'" in capsys.readouterr().err
