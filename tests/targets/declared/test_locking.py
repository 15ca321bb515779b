"""Your own target that says which lock guards what, and one that does not."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run

SHELF = """
    import threading

    class Shelf:
        def __init__(self):
            self.lock = threading.{lock}()
            self.books = []

        def put(self):
            with self.lock:
                self.books.append(1)

        def slip_in(self):
            self.books.append(2)

        def count(self):
            return len(self.books)

        def burn(self):
            self.books.clear()
"""
TARGET = """
    import shelf
    from semafuzz.targets.declared.api import DeclaredTarget, Guard, LockPolicy, operation

    class Open(DeclaredTarget):
        modules = ("shelf",)

        def start(self, configuration):
            return shelf.Shelf()

        @operation
        def put(self, world):
            world.put()

        @operation
        def slip_in(self, world):
            world.slip_in()

        @operation
        def count(self, world):
            world.count()

    class Ruled(Open):
        policy = LockPolicy(shelf.Shelf, "Shelf.lock")

        def guards(self, world):
            return [Guard({guard}, world)]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, lock: str = "Lock", guard: str = "world.lock") -> None:
    """The code under test and its target; what other tests imported is forgotten."""
    import sys

    monkeypatch.delitem(sys.modules, "shelf", raising=False)
    (folder / "shelf.py").write_text(textwrap.dedent(SHELF.format(lock=lock)))
    (folder / "shelf_target.py").write_text(textwrap.dedent(TARGET.format(guard=guard)))


def fuzz(capsys: pytest.CaptureFixture[str], name: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the answer."""
    code = run(["fuzz", f"shelf_target.py:{name}", "--schedules", "120", "--json", *arguments])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return code, answer


@pytest.mark.parametrize("lock", ["Lock", "RLock", "Condition"])
def test_a_policy_makes_warnings_and_a_table(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lock: str
) -> None:
    write(here, monkeypatch, lock)
    code, answer = fuzz(capsys, "Ruled")
    assert code == 1
    rows = {row["method"]: row["status"] for row in answer["lock_discipline"]}
    assert rows == {
        "slip_in": "seen unguarded",
        "put": "always guarded",
        "count": "only reads",
        "burn": "never executed",
    }
    assert list(rows) == ["slip_in", "put", "count", "burn"]
    assert "locksets" not in answer
    (found,) = answer["failures"]
    assert (found["kind"], found["severity"], found["operations"]) == ("lock-discipline", "warning", ["slip_in()"])
    assert ["slip_in" in found["places"][0], "put" in found["places"][1]] == [True, True]
    assert answer["first_failure"] is None
    assert run(["replay", found["trace"]]) == 1


def test_without_a_policy_locksets_suggest_one_and_nothing_is_found(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, monkeypatch)
    code, answer = fuzz(capsys, "Open")
    assert (code, answer["failures"]) == (0, [])
    assert "lock_discipline" not in answer
    (found,) = answer["locksets"]
    assert (found["location"], found["lock"], found["severity"]) == ("Shelf.books", "Shelf.lock", "warning")
    # Unlike a policy, candidate locksets count reads too.
    assert {(breach["write"], breach["place"].partition(" ")[2]) for breach in found["breaches"]} == {
        (True, "(Shelf.slip_in)"),
        (False, "(Shelf.count)"),
    }
    assert run(["fuzz", "shelf_target.py:Open", "--schedules", "120"]) == 0
    assert "warning: Shelf.books is guarded by Shelf.lock at" in capsys.readouterr().out


def test_in_the_eventlet_model_nothing_is_claimed(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, monkeypatch)
    code, answer = fuzz(capsys, "Ruled", "--model", "eventlet")
    assert (code, answer["failures"]) == (0, [])
    assert "lock_discipline" not in answer
    assert "locksets" not in answer
    assert run(["fuzz", "shelf_target.py:Ruled", "--model", "eventlet", "--detect", "lockset"]) == 4


def test_what_cannot_guard_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(here, monkeypatch, guard="world.books")
    assert run(["fuzz", "shelf_target.py:Ruled", "--schedules", "5"]) == 4
    assert "a list cannot guard anything; give the name of a lock" in capsys.readouterr().err


def machine(**settings: Any) -> Any:
    import importlib

    from semafuzz.strategies.machines.target import machine_of

    importlib.invalidate_caches()
    return machine_of(importlib.import_module("shelf_target").Ruled.target(), "Shelves", schedules=0, **settings)


def test_a_machine_looks_at_the_discipline_after_every_step(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis import settings

    from semafuzz.strategies.machines.session import Found, run_machine

    monkeypatch.delitem(__import__("sys").modules, "shelf_target", raising=False)
    write(here, monkeypatch)
    quick = settings(max_examples=60, stateful_step_count=8, database=None, derandomize=True)
    with pytest.raises(Found, match=r"lock-discipline: Shelf\.slip_in writes Shelf\.books") as caught:
        run_machine(machine(errors_only=False), quick, here)
    notes = "\n".join(caught.value.__notes__)
    assert "Smallest program: slip_in()" in notes
    (command,) = [line.split() for line in notes.splitlines() if line.startswith("semafuzz replay ")]
    assert run(command[1:]) == 1
    run_machine(machine(errors_only=False, operations=("put", "count")), quick, here)
    run_machine(machine(), quick, here)
