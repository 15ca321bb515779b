"""``semafuzz audit``: the table of methods and locks, against another version, beside what was seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from semafuzz.harness.audit.facts import ClassAudit, MethodAudit, Place
from semafuzz.harness.audit.section import CONTRADICTION, audit_section
from tests.conftest import Run

POOL = """
import threading

class Pool:
    def __init__(self):
        self._lock = threading.Lock()
        self._free = []

    def put(self, item):
        with self._lock:
            self._free.append(item)

    def take(self):
        {how}
        return self._take()

    def _take(self):
        return self._free.pop()

    def size(self):
        return len(self._free)
"""


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run(["audit", *arguments, "--json"])
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    return code, {row["method"]: row for row in answer["audit"]} | {"notes": answer["notes"]}


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    file = tmp_path / "pool.py"
    file.write_text(POOL.format(how="self._lock"))
    return file


def test_a_class_of_a_file(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = asked(capsys, f"{pool}:Pool")
    assert code == 1
    assert {name: rows[name]["verdict"] for name in ("put", "take", "_take", "size")} == {
        "put": "proven guarded",
        "take": "possibly unguarded",
        "_take": "possibly unguarded",
        "size": "only reads",
    }
    assert rows["take"]["unguarded"][0]["place"] == "pool:18"
    assert run(["audit", f"{pool}:Pool"]) == 1
    shown = capsys.readouterr().out
    assert "guarded by _lock (inferred: --lock names another one)" in shown
    assert "entered without it: Pool.take at pool:15" in shown


def test_a_repaired_one_is_all_guarded_and_the_difference_is_told(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "mended.py"
    other.write_text(
        POOL.replace("{how}\n        return self._take()", "with self._lock:\n            return self._take()")
    )
    code, rows = asked(capsys, f"{other}:Pool", "--lock", "_lock")
    assert (code, rows["_take"]["locks"]) == (0, ["all callers"])
    code, rows = asked(capsys, f"{other}:Pool", "--against", str(pool))
    assert code == 1
    assert "  take: was possibly unguarded, is proven guarded" in rows["notes"]
    code, rows = asked(capsys, f"{other}:Pool", "--against", str(other))
    assert code == 0


def test_what_is_apart_does_not_count(pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = asked(capsys, f"{pool}:Pool", "--apart", "_free")
    assert code == 0
    assert rows["take"]["verdict"] == "only reads"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.py:Pool"], "cannot read nowhere.py"),
        (["{pool}:Other"], "has no class 'Other'; it has Pool"),
        (["reference"], "names no class to audit"),
        (["{pool}:Pool", "--explore", "1"], "--explore goes with targets"),
        (["nova", "--release", "33.0.2", "--source", "."], "exclude each other"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], said: str, pool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", *(one.format(pool=pool) for one in arguments)]) == 4
    assert said in capsys.readouterr().err


def test_what_was_seen_is_stronger() -> None:
    audit = ClassAudit("Pool", "_lock", False)
    for name, verdict in (("put", "proven guarded"), ("take", "possibly unguarded"), ("size", "only reads")):
        audit.methods[name] = MethodAudit(name, Place("pool", 1), verdict)  # type: ignore[arg-type]
    section = audit_section(audit, "pool", {"put": "always guarded", "take": "seen unguarded", "size": "only reads"})
    assert [row.data["verdict"] for row in section.rows] == ["observed unguarded", "proven guarded", "only reads"]
    assert section.severity == "error"
    # Nothing that was seen unguarded may be called proven.
    section = audit_section(audit, "pool", {"put": "seen unguarded"})
    assert section.rows[0].data["verdict"] == CONTRADICTION
    assert section.severity == "error"


@pytest.mark.nova
def test_the_tracker_of_nova(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = asked(capsys, "nova")
    assert code == 1
    unguarded = {name for name, row in rows.items() if name != "notes" and row["verdict"] == "possibly unguarded"}
    assert unguarded == {"build_failed", "build_succeeded", "remove_node"}
    assert rows["update_usage"]["verdict"] == rows["instance_claim"]["verdict"] == "proven guarded"
    assert rows["_update_usage"]["locks"] == ["all callers"]
    assert len([row for name, row in rows.items() if name != "notes" and row["verdict"] == "proven guarded"]) > 30


@pytest.mark.nova
@pytest.mark.slow
def test_nothing_that_is_seen_unguarded_is_called_proven(semafuzz: Run) -> None:
    done = semafuzz("audit", "nova", "--explore", "40", "--json")
    rows = {row["method"]: row["verdict"] for row in json.loads(done.stdout.splitlines()[-1])["audit"]}
    assert CONTRADICTION not in rows.values()
    assert "observed unguarded" in {rows["build_failed"], rows["build_succeeded"], rows["remove_node"]}
