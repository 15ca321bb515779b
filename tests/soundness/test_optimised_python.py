"""The assertions of a program are checks, whatever Python was told about its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Run

CHECKED = """
from helper import Counter


def fails():
    assert Counter().value == 1
"""
HELPER = """
class Counter:
    def __init__(self):
        self.value = 0


def raises():
    assert False
"""


@pytest.mark.parametrize("level", ["1", "2"])
def test_an_assertion_fails_and_its_trace_replays(semafuzz: Run, tmp_path: Path, level: str) -> None:
    (tmp_path / "program.py").write_text(CHECKED)
    (tmp_path / "helper.py").write_text(HELPER)
    done = semafuzz("check", "program.py:fails", PYTHONOPTIMIZE=level)
    assert done.returncode == 1, done.stdout
    (trace,) = (tmp_path / ".semafuzz").glob("*.json")
    for other in ("", "1", "2"):
        assert semafuzz("replay", str(trace), PYTHONOPTIMIZE=other).returncode == 1


def test_so_it_does_in_a_module_that_is_looked_into(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("from helper import raises\n\n\ndef calls():\n    raises()\n")
    (tmp_path / "helper.py").write_text(HELPER)
    assert semafuzz("check", "program.py:calls", "--instrument", "helper", PYTHONOPTIMIZE="1").returncode == 1
