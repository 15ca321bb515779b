"""Kinds of classes that were once judged wrongly, each with what is true of it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from semafuzz.cli import run
from tests.conftest import Run
from tests.rotation import in_turn
from tests.targets.classes import kinds

FILE = Path(kinds.__file__ or "")
NAMES = [name for name, kind in vars(kinds).items() if inspect.isclass(kind) and kind.__module__ == kinds.__name__]


@pytest.mark.parametrize("name", in_turn([name for name in NAMES if name.startswith(("Right", "Broken"))], always=4))
def test_what_is_true_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["matrix", "pairs", f"{FILE}:{name}", "--schedules", "400", "--out", str(tmp_path), "--json"])
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == int(name.startswith("Broken")), answer["failures"]
    assert "not_confirmed" not in answer


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("RightWorkers", "starts threads"),
        ("RightPool", "starts threads"),
        ("RightLottery", "random numbers took part"),
        ("RightStopwatch", "time passed while calls ran"),
    ],
)
def test_what_is_not_compared_is_said(name: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["matrix", "pairs", f"{FILE}:{name}", "--schedules", "100", "--out", str(tmp_path), "--json"])
    pairs = json.loads(capsys.readouterr().out.splitlines()[-1])["pairs"]
    assert any(why in limit for pair in pairs for limit in pair["limits"])
    assert "limited" in {pair["answer"] for pair in pairs}


def test_what_was_entered_and_never_left_says_nothing_at_the_end(semafuzz: Run) -> None:
    done = semafuzz("matrix", "pairs", f"{FILE.with_name('broken.py')}:ReadWriteLock", "--out", "out")
    assert done.returncode == 1
    assert done.stderr == ""
