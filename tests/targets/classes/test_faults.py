"""Calls that fail: afterwards a method has happened or it has not."""

from __future__ import annotations

import ast
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from semafuzz.harness.edits.call_points import CallPoints, FailingCall, failing_calls, parse_failing_call
from semafuzz.harness.errors import UsageError
from tests.rotation import in_turn

STORE = """
    import threading

    class Base:
        def __init__(self):
            self._lock = threading.Lock()
            self.rows = {}
            self.count = 0

        def _save(self, key):
            return key

    class Half(Base):
        def put(self, key, value):
            with self._lock:
                self.count += 1
                self._save(key)
                self.rows[key] = value

    class Whole(Base):
        def put(self, key, value):
            with self._lock:
                self._save(key)
                self.count += 1
                self.rows[key] = value

    class RollsBack(Base):
        def put(self, key, value):
            with self._lock:
                self.count += 1
                try:
                    self._save(key)
                except OSError:
                    self.count -= 1
                    raise
                self.rows[key] = value

    class Swallows(Base):
        def put(self, key, value):
            with self._lock:
                try:
                    self._save(key)
                except OSError:
                    return False
                self.count += 1
                self.rows[key] = value
                return True

    class KeepsTheLock(Base):
        def put(self, key, value):
            self._lock.acquire()
            self._save(key)
            self.count += 1
            self._lock.release()

    class Writes(Base):
        def put(self, key, value):
            self.count += 1
            with open("/dev/null", "w") as file:
                file.write(key)
            self.rows[key] = value
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    file = tmp_path / "store.py"
    file.write_text(textwrap.dedent(STORE))
    return file


def fuzz(store: Path, capsys: pytest.CaptureFixture[str], name: str, *options: str) -> tuple[int, dict[str, Any]]:
    code = run(
        ["fuzz", f"{store}:{name}", *options, "--schedules", "300", "--out", str(store.parent / "out"), "--json"]
    )
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(("name", "kind"), in_turn([("KeepsTheLock", "deadlock"), ("Half", "atomicity")]))
def test_what_is_left_in_between_is_found(
    name: str, kind: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = fuzz(store, capsys, name, "--fault", "_save=OSError")
    assert code == 1
    assert kind in {one["kind"] for one in answer["failures"]}
    assert all(one["confirmed"] and len(one["operations"]) <= 2 for one in answer["failures"])


@pytest.mark.parametrize("name", in_turn(["Whole", "RollsBack", "Swallows"], always=3))
def test_what_happened_or_did_not_is_right(name: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = fuzz(store, capsys, name, "--fault", "_save=OSError")
    assert code == 0, answer["failures"]


def test_without_a_fault_it_is_silent(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz(store, capsys, "Half")[0] == 0


def test_calls_that_leave_the_process(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = fuzz(store, capsys, "Writes", "--operations", "put", "--faults")
    assert code == 1
    assert any("after a fault" in one["message"] for one in answer["failures"])


def test_a_trace_replays_with_its_fault(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, answer = fuzz(store, capsys, "Half", "--fault", "_save=OSError")
    finding = answer["failures"][0]
    trace = json.loads(Path(finding["trace"]).read_text())
    assert trace["faults"][0]["name"] == "_save raises OSError"
    assert trace["configuration"]["faults"] == "_save=OSError"
    assert run(["replay", finding["trace"], "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["identical"]


def test_calls_are_known_by_how_they_are_written() -> None:
    assert FailingCall("save", "OSError").fits("self.db.save")
    assert FailingCall("save", "OSError").fits("save")
    assert not FailingCall("save", "OSError").fits("self.save_all")
    assert FailingCall("socket.*", "OSError").fits("socket.create_connection")
    assert not FailingCall("socket.*", "OSError").fits("mysocket.send")
    tree = ast.parse("def f(self):\n    return self.save(1) + other(2)\n")
    points = CallPoints(failing_calls("save=OSError\n\nnone"))
    points("module", tree)
    assert points.met == {"save"}
    assert "call_point('save()') or self.save(1)" in ast.unparse(tree)


@pytest.mark.parametrize("text", ["1x=OSError", "save=SystemExit", "save=Nothing", "=OSError", "save=print"])
def test_what_is_none_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no "):
        parse_failing_call(text)


def test_they_go_with_classes_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fuzz", "reference", "--fault", "save=OSError", "--schedules", "1"]) == 4
    assert "--fault and --faults go with FILE.py:CLASS" in capsys.readouterr().err
