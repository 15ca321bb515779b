"""The right verdict for every program on which other tools said "holds" wrongly.

Each row runs ``semafuzz check`` on a small file; each broken program has a
repaired twin in the same file, which must stay silent.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from semafuzz.cli import FOUND, NOTHING, run
from tests.rotation import in_turn

PROGRAMS = Path(__file__).parent / "programs"


def check(capsys: pytest.CaptureFixture[str], out: Path, program: str, *options: str) -> dict[str, Any]:
    """Run the command; its JSON answer with the exit code under ``exit``."""
    file, _, function = program.partition(":")
    code = run(["check", f"{PROGRAMS / file}.py:{function}", "--json", "--out", str(out), *options])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return answer | {"exit": code}


BROKEN = [
    ("init_then_use:fill_started_first", "assertion"),
    ("init_then_use:use_started_first", "assertion"),
    ("absent_key:broken", "assertion"),
    ("nested_thread:broken", "assertion"),
    ("pool:broken", "assertion"),
    ("lost_wakeup:broken", "deadlock"),
    ("forgotten_release:broken", "deadlock"),
    ("barrier_party:broken", "deadlock"),
    ("import_time_locks:broken", "deadlock"),
    ("spinning:spins_for_ever", "livelock"),
    ("spinning:two_spin_for_ever", "livelock"),
    ("spinning:sleeps_for_ever", "livelock"),
    ("self_deadlock:broken", "deadlock"),
    ("wrong_lock:broken", "assertion"),
    ("counting:two_unlocked", "assertion"),
    ("counting:eight_unlocked", "assertion"),
    ("account:broken", "assertion"),
    ("reorder:reorder_3", "assertion"),
    ("reorder:reorder_4", "assertion"),
    ("reorder:reorder_5", "assertion"),
]

CORRECT = [
    "init_then_use:repaired",
    "absent_key:repaired",
    "nested_thread:repaired",
    "pool:repaired",
    "lost_wakeup:repaired",
    "forgotten_release:repaired",
    "barrier_party:repaired",
    "import_time_locks:repaired",
    "import_time_locks:reentrant",
    "import_time_locks:condition",
    "spinning:spins",
    "spinning:spins_and_sleeps",
    "spinning:spins_until_a_deadline",
    "spinning:spins_until_a_deadline_or_signal",
    "spinning:sleeps_until_a_deadline",
    "self_deadlock:repaired",
    "wrong_lock:repaired",
    "counting:two_locked",
    "counting:eight_locked",
    "account:repaired",
    "reorder:repaired",
]


@pytest.mark.parametrize(("program", "kind"), in_turn(BROKEN, always=3))
def test_broken_program_is_found(program: str, kind: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = check(capsys, tmp_path, program)
    assert answer["verdict"] == "found"
    assert answer["exit"] == FOUND
    assert answer["exhausted"] is False
    assert answer["failures"][0]["kind"] == kind
    assert Path(answer["failures"][0]["trace"]).is_file()


@pytest.mark.parametrize("program", in_turn(CORRECT, always=3))
def test_correct_program_is_silent(program: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = check(capsys, tmp_path, program, "--schedules", "300")
    assert answer["failures"] == []
    assert answer["verdict"] in ("cut", "complete")
    assert answer["exhausted"] is (answer["verdict"] == "complete")
    assert answer["exit"] == NOTHING


SMALL = [
    "init_then_use:fill_started_first",
    "init_then_use:use_started_first",
    "absent_key:broken",
    "nested_thread:broken",
    "lost_wakeup:broken",
    "forgotten_release:broken",
    "barrier_party:broken",
    "import_time_locks:broken",
    "self_deadlock:broken",
    "wrong_lock:broken",
    "counting:two_unlocked",
    "reorder:reorder_3",
]


@pytest.mark.parametrize("program", SMALL)
def test_exhaustive_search_finds_it_too(program: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = check(capsys, tmp_path, program, "--scheduler", "exhaustive", "--schedules", "30000")
    assert answer["verdict"] == "found", answer


@pytest.mark.parametrize(
    "program", ["counting:two_locked", "self_deadlock:repaired", "forgotten_release:repaired", "wrong_lock:repaired"]
)
def test_small_correct_program_is_complete(program: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = check(capsys, tmp_path, program, "--scheduler", "exhaustive", "--schedules", "30000")
    assert answer["verdict"] == "complete"
    assert answer["exhausted"] is True
    assert answer["exit"] == NOTHING


@pytest.mark.parametrize("program", ["reorder:repaired", "counting:eight_locked", "pool:repaired", "spinning:spins"])
def test_cut_search_is_never_complete(program: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = check(capsys, tmp_path, program, "--scheduler", "exhaustive", "--schedules", "20")
    assert answer["verdict"] == "cut"
    assert answer["exhausted"] is False
    assert answer["schedules"] == 20


def test_time_that_ends_a_search_does_not_make_it_complete(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = check(
        capsys,
        tmp_path,
        "counting:eight_locked",
        "--scheduler",
        "exhaustive",
        "--schedules",
        "10000000",
        "--seconds",
        "0.2",
    )
    assert answer["verdict"] == "cut"
    assert answer["exhausted"] is False


def test_last_schedule_of_the_budget_may_complete_a_search(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    whole = check(capsys, tmp_path, "counting:two_locked", "--scheduler", "exhaustive", "--schedules", "30000")
    one_less = str(whole["schedules"] - 1)
    assert (
        check(capsys, tmp_path, "counting:two_locked", "--scheduler", "exhaustive", "--schedules", one_less)["verdict"]
        == "cut"
    )


def test_waiting_for_a_notification_is_no_circle(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    message = check(capsys, tmp_path, "lost_wakeup:broken")["failures"][0]["message"]
    assert message.startswith("nothing can wake")
    assert "waits for a notification" in message


def test_two_locks_in_both_orders_are_a_circle(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    message = check(capsys, tmp_path, "import_time_locks:broken")["failures"][0]["message"]
    assert message.startswith("tasks wait for each other")
    assert "held by" in message


def test_a_file_whose_name_is_taken_replays_under_the_other_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Commands import different libraries, so that a name can be taken here and free where the finding is confirmed.
    monkeypatch.setitem(sys.modules, "counting", ModuleType("counting"))
    answer = check(capsys, tmp_path, "counting:two_unlocked", "--scheduler", "exhaustive")
    assert answer["verdict"] == "found", answer
    assert answer["failures"][0]["places"][0].startswith("checked_counting:")
