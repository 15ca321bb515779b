"""``semafuzz mutate``: which mutants there are, which die, and what is said of those that survive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from semafuzz.harness.audit.class_audit import locks_of
from semafuzz.harness.audit.sources import Sources
from semafuzz.harness.edits.mutants import mutants_of

RIGHT = Path(__file__).parents[2] / "targets" / "classes" / "right.py"
BOX = """
import threading

class Box:
    def __init__(self):
        self._lock = threading.Lock()
        self.count = 0
        self.total = 0

    def add(self, amount):
        with self._lock:
            self.count += 1
            self.total += amount
            if amount > 1:
                try:
                    self.check()
                except ValueError:
                    self.count -= 1
                    self.total -= amount

    def check(self):
        raise ValueError

    def both(self):
        with self._lock:
            return self.count, self.total
"""


def mutate(capsys: pytest.CaptureFixture[str], spec: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    code = run(["mutate", spec, "--seconds", "20", "--json", *options])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out.splitlines()[-1])["mutants"]
    return code, found


def test_every_kind_of_mutant_is_made(tmp_path: Path) -> None:
    file = tmp_path / "box.py"
    file.write_text(BOX)
    sources = Sources((tmp_path,))
    kind = sources.read(file, "box").classes["Box"]
    locks, lock, _ = locks_of(sources, kind)
    made = list(mutants_of(kind, locks))
    assert lock == "_lock"
    assert [(one.kind, one.method, one.line) for one in made] == [
        ("lock is gone", "Box.add", 11),
        ("lock is given back early", "Box.add", 14),
        ("two updates are swapped", "Box.add", 12),
        ("roll-back is gone", "Box.add", 15),
        ("lock is gone", "Box.both", 25),
    ]
    for one in made:
        compile(one.tree, "box.py", "exec")


def test_what_breaks_it_is_killed_and_what_does_not_survives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "box.py"
    file.write_text(BOX)
    code, found = mutate(capsys, f"{file}:Box")
    fates = {(one["mutant"], one["method"]): bool(one["killed"]) for one in found}
    assert fates == {
        ("lock is gone", "Box.add"): True,
        ("lock is given back early", "Box.add"): True,
        ("two updates are swapped", "Box.add"): False,
        ("roll-back is gone", "Box.add"): True,
        ("lock is gone", "Box.both"): True,
    }
    assert code == 1
    (survivor,) = [one for one in found if not one["killed"]]
    assert survivor["why"] == "every schedule of every two methods comes to what the original may come to"


def test_every_lock_of_a_cache_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = mutate(capsys, f"{RIGHT}:LRUCache")
    assert code == 0
    assert len(found) == 6
    assert all(one["killed"] for one in found)


def test_bad_input_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "box.py"
    file.write_text("class Box:\n    def look(self): return 1\n")
    assert run(["mutate", f"{file}:Other"]) == 4
    assert "has no class 'Other'" in capsys.readouterr().err
    assert run(["mutate", f"{file}:Box"]) == 4
    assert "makes no lock" in capsys.readouterr().err
    assert run(["mutate", f"{file}:Box", "--lock", "_lock"]) == 4
    assert "takes no lock that could be left out" in capsys.readouterr().err
