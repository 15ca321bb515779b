"""A file of a package that hands on what is in it, as many do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bank_source import BANK
from tests.conftest import Run


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "boxes"
    folder.mkdir()
    (folder / "__init__.py").write_text("from boxes.core import Account, two\n")
    (folder / "base.py").write_text("class Base:\n    pass\n")
    (folder / "core.py").write_text("from .base import Base\n" + BANK)
    return folder


@pytest.mark.parametrize("command", [("check", "boxes/core.py:two"), ("fuzz", "boxes/core.py:Account")])
def test_it_is_searched_and_its_finding_replays(command: tuple[str, ...], package: Path, semafuzz: Run) -> None:
    done = semafuzz(*command, "--schedules", "200", "--seed", "1", "--out", "found", "--json")
    assert done.returncode == 1, done.stderr
    finding = json.loads(done.stdout.splitlines()[-1])["failures"][0]
    again = semafuzz("replay", finding["trace"], "--json")
    assert json.loads(again.stdout.splitlines()[-1])["identical"]


def test_what_cannot_be_imported_is_one_sentence(package: Path, semafuzz: Run) -> None:
    (package / "__init__.py").write_text("from boxes.core import Bag\n")
    done = semafuzz("check", "boxes/core.py:two")
    assert done.returncode == 4
    assert "cannot import name 'Bag'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
