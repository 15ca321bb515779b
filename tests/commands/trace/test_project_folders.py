"""A test beside a package of its project: what it imports is found, and a change of that is a change of the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run

STOCK = """
class Stock:
    def __init__(self):
        self.left = 1
        self.sold = 0

    def buy(self):
        if self.left > 0:
            self.left -= 1
            self.sold += 1
"""
LOCKED = """
import threading


class Stock:
    def __init__(self):
        self.left = 1
        self.sold = 0
        self.lock = threading.Lock()

    def buy(self):
        with self.lock:
            if self.left > 0:
                self.left -= 1
                self.sold += 1
"""
TEST = """
import threading

from shop.stock import Stock


def test_two():
    stock = Stock()
    threads = [threading.Thread(target=stock.buy) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stock.sold == 1
"""


@pytest.fixture(params=["shop", "src/shop"])
def package(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / request.param
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "stock.py").write_text(STOCK)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_shop.py").write_text(TEST)
    return folder


def test_the_package_is_found_and_its_change_is_judged(semafuzz: Run, package: Path, tmp_path: Path) -> None:
    found = semafuzz("check", "tests/test_shop.py::test_two")
    assert found.returncode == 1, found.stderr
    (trace,) = (tmp_path / ".semafuzz").glob("*.json")
    (package / "stock.py").write_text(LOCKED)
    answer = semafuzz("replay", str(trace), "--json")
    assert answer.returncode == 0, answer.stderr
    assert "every schedule was run" in json.loads(answer.stdout)["why"]


def test_what_is_nowhere_is_named_with_what_to_do(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "lonely.py").write_text("import nowhere_at_all\n\n\ndef f():\n    pass\n")
    done = semafuzz("check", "lonely.py:f")
    assert done.returncode == 4
    assert "No module named 'nowhere_at_all'" in done.stderr
    assert "PYTHONPATH" in done.stderr
