"""Five defects of everyday ``threading`` code: found, and their repairs silent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semafuzz.cli import FOUND, NOTHING, run

FILE = Path(__file__).parent / "programs" / "everyday.py"
DEFECTS = {
    "deadlock": "deadlock",
    "update": "assertion",
    "wakeup": "deadlock",
    "stolen": "exception",
    "initialisation": "assertion",
    "stock": "assertion",
}


@pytest.mark.parametrize(("name", "kind"), DEFECTS.items())
@pytest.mark.parametrize("scheduler", ["portfolio", "random", "surw"])
def test_defect_is_found(
    name: str, kind: str, scheduler: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = ["--scheduler", scheduler, "--json", "--out", str(tmp_path)]
    assert run(["check", f"{FILE}:{name}_broken", *options]) == FOUND
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["failures"][0]["kind"] == kind


@pytest.mark.slow
@pytest.mark.parametrize("name", DEFECTS)
def test_repair_is_silent(name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = run(["check", f"{FILE}:{name}_repaired", "--schedules", "5000", "--json", "--out", str(tmp_path)])
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["failures"] == []
    assert code == NOTHING
    assert answer["schedules"] == 5000 or answer["verdict"] == "complete"
