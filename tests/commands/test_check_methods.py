"""``semafuzz check FILE.py::CLASS::METHOD``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from semafuzz.cli import run

SOURCE = """
import threading
import unittest


def both(call):
    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Base(unittest.TestCase):
    made = 0

    @classmethod
    def setUpClass(cls):
        cls.made = 1

    @classmethod
    def tearDownClass(cls):
        cls.made = 0

    def setUp(self):
        assert type(self).made == 1
        self.value = 0
        self.addCleanup(self.gone)

    def gone(self):
        self.value = None

    def add(self):
        self.value = self.value + 1

    def test_inherited(self):
        both(self.add)
        self.assertEqual(self.value, 2)


class TestDerived(Base):
    lock = threading.Lock()

    def locked(self):
        with self.lock:
            self.value = self.value + 1

    def test_right(self):
        both(self.locked)
        self.assertEqual(self.value, 2)

    def test_with(self, argument):
        pass

    async def test_later(self):
        pass


class Plain:
    def __init__(self):
        self.value = 0

    def add(self):
        self.value = self.value + 1

    def race(self):
        both(self.add)
        assert self.value == 2
"""


@pytest.fixture(autouse=True)
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("test_methods.py").write_text(SOURCE)


@pytest.mark.parametrize(
    ("spec", "verdict"),
    [("::TestDerived::test_inherited", "found"), (":TestDerived.test_right", "complete"), ("::Plain::race", "found")],
)
def test_a_method_is_explored(spec: str, verdict: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", f"test_methods.py{spec}", "--json"]) == (verdict == "found")
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["verdict"], answer.get("not_confirmed", [])) == (verdict, []), answer
    for failure in answer["failures"]:
        assert "one update is lost" in failure["sentence"]
        assert run(["replay", failure["trace"], "--program", f"test_methods.py{spec}"]) == 1


def test_its_trace_can_be_exported_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    spec = "test_methods.py::TestDerived::test_inherited"
    assert run(["check", spec, "--json"]) == 1
    trace = json.loads(capsys.readouterr().out.splitlines()[-1])["failures"][0]["trace"]
    assert run(["export", trace, "--program", spec, "--out", "test_exported.py"]) == 0
    failing = subprocess.run([sys.executable, "-m", "unittest", "-q", "test_exported"], capture_output=True, text=True)
    assert "FAILED (failures=1)" in failing.stderr, failing.stderr
    assert run(["report", ".semafuzz", "--program", spec]) == 0
    assert "1 with a picture" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("::TestDerived::nothing", "has no method 'nothing'; it has test_inherited"),
        ("::Nothing::test_right", "has no class 'Nothing'"),
        ("::TestDerived::test_with", "takes arguments"),
        ("::TestDerived::test_later", "is async"),
    ],
)
def test_what_cannot_be_called_alone_is_refused(spec: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", f"test_methods.py{spec}"]) == 4
    assert words in capsys.readouterr().err
