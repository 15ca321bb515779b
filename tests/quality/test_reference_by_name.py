"""The reference tracker as any class: each seeded defect is found by the class's name, without any invariant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semafuzz.targets.reference.defects import NAMES, NONE
from tests.conftest import Run

HERE = Path(__file__).parents[2] / "targets" / "reference"
PACKAGE = "semafuzz.targets.reference."
FAULTY = {"lost_rollback": ("save",), "forgotten_release": ("sum_on",)}
"""Defects that show where a call of the database fails."""
TRACKED = '''
import threading

from database import Database, Row
from defects import seeded
from tracker import Tracker

from semafuzz import arguments


class Tracked:
    """Two calls about one instance wait for each other, as the callers of a tracker see to."""

    def __init__(self):
        self._database = Database({"a": 4, "b": 4})
        self._database.rows = {1: Row("active", "a", 1), 2: Row("new"), 3: Row("new")}
        self._tracker = Tracker(self._database, seeded("DEFECT"))
        self._callers = {instance: threading.Lock() for instance in self._database.rows}

    @arguments(instance=(2, 3), size=(1, 4))
    def claim(self, instance, size):
        with self._callers[instance]:
            self._tracker.claim(instance, "a", size)

    @arguments(instance=(2, 3), size=(4,))
    def wait_claim(self, instance, size):
        with self._callers[instance]:
            self._tracker.wait_claim(instance, "a", size)

    def drop(self):
        with self._callers[1]:
            self._tracker.drop(1)

    @arguments(size=(1, 4))
    def move(self, size):
        with self._callers[1]:
            self._tracker.move(1, size)

    def update_usage(self):
        self._tracker.update_usage(1)

    def audit(self):
        self._tracker.audit("a")

    def refusals(self):
        return self._tracker.refused
'''


@pytest.mark.slow
@pytest.mark.parametrize("defect", [*NAMES, NONE])
def test_a_defect_is_found_by_the_name_of_the_class(defect: str, semafuzz: Run, tmp_path: Path) -> None:
    for name in ("tracker", "database", "defects"):
        source = (HERE / f"{name}.py").read_text(encoding="utf-8")
        (tmp_path / f"{name}.py").write_text(source.replace(f"from {PACKAGE}", "from "), encoding="utf-8")
    (tmp_path / "tracked.py").write_text(TRACKED.replace("DEFECT", defect), encoding="utf-8")
    faults = [part for call in FAULTY.get(defect, ()) for part in ("--fault", f"{call}=ConnectionError")]
    done = semafuzz("fuzz", "tracked.py:Tracked", "--seconds", "90", *faults, "--json")
    answer = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == (0 if defect == NONE else 1), answer["notes"]
    assert all(one["confirmed"] for one in answer["failures"])
