"""What a person is told of each seeded defect of the reference tracker: the lines that one would change or guard.

The lines stand here as they are in the tracker, written down before anything was run. Left out: ``lost_rollback``,
which needs no second task, ``timeout_race``, which this search seldom meets, and ``stale_audit``, of which one is told
what the audit looked at before it began, and not what it wrote over.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from semafuzz.targets.reference import tracker
from semafuzz.targets.reference.defects import NAMES
from tests.conftest import Run
from tests.rotation import in_turn

GIVE = "node.used -= self.claims.pop(key, 0)"
ADD = "node.used += size"
CHECK = "if size > (node.total - node.used if free is None else free):"
COUNT = "node.used = self.database.sum_on(name)"
WAITS = ("while self.busy:", "self.idle.wait()")
HELD = "with self.resources:"

CAUSES: dict[str, set[str]] = {
    "missing_lock": {GIVE, ADD, CHECK, COUNT},
    "early_release": {"used = node.used + size", "node.used = used", ADD, GIVE, CHECK, COUNT},
    "torn_move": {"self._check(target, size)", "self._add(target, instance, size)", CHECK, ADD, GIVE},
    "double_drop": {"size = self.claims.get(key, 0)", "node.used -= size", "self.claims.pop(key, 0)"},
    "lost_wakeup": {*WAITS, "self.resources.release()", "self.resources.acquire()", "self.idle.notify_all()"},
    "lock_inversion": {"with self.statistics:", HELD},
    "stale_check": {"free = node.total - node.used if self.defects.stale_check else None", CHECK, ADD},
    "unlocked_counter": {"self.refused += 1"},
    "early_notify": {*WAITS, "self.idle.notify_all()", "self.busy -= 1"},
    "forgotten_release": {"self.resources.acquire()", "self._await_idle()", COUNT, HELD},
    "early_publication": {
        "self.nodes[name] = node", "node.used = sum(sizes.values())", "node = self.nodes.get(name)", CHECK, ADD, GIVE,
        COUNT,
    },
}  # fmt: skip
SOURCE = Path(str(tracker.__file__)).read_text().splitlines()


def test_all_but_three_defects_are_here() -> None:
    assert set(NAMES) - set(CAUSES) == {"lost_rollback", "timeout_race", "stale_audit"}
    assert all(any(line.strip() == one for line in SOURCE) for lines in CAUSES.values() for one in lines)


@pytest.mark.parametrize("defect", in_turn(CAUSES, 4))
def test_the_first_two_places_are_those_that_one_would_guard(defect: str, semafuzz: Run, tmp_path: Path) -> None:
    done = semafuzz(
        "fuzz", "reference", "--set", f"defect={defect}", "--schedules", "3000", "--seed", "0", "--out", str(tmp_path)
    )
    found = re.search(r"replay (\S+\.json)", done.stdout)
    assert found, done.stdout + done.stderr
    told = semafuzz("replay", found[1], COLUMNS="140").stdout.split("\n\n")[1]
    places = list(dict.fromkeys(re.findall(r"tracker\.py:(\d+)", told)))[:2]
    assert places, told
    assert {SOURCE[int(number) - 1].strip() for number in places} <= CAUSES[defect], told
