"""What a person reads of everyday defects: the sentence, the columns, the values; at three widths.

The texts stand in ``told``. After a change that is meant, ``SEMAFUZZ_WRITE_TOLD=1`` writes them anew, to be read.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semafuzz.cli import run
from semafuzz.reports.run_view.facts import facts_sentence
from semafuzz.reports.run_view.schema import Lane, Run, Span, Step, Switch
from semafuzz.reports.terminal.columns import ROWS, interleaving_lines
from tests.conftest import Run as Command
from tests.rotation import slow

TOLD = Path(__file__).parent / "told"
PROGRAMS = (
    "lost_update",
    "check_then_act",
    "deadlock",
    "lost_wakeup",
    "lazy_initialisation",
    "changing_dict",
    "time_out",
)


@pytest.mark.parametrize("width", [60, 100, 160])
@pytest.mark.parametrize("program", PROGRAMS)
def test_what_happened_is_told(
    program: str, width: int, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(["check", f"{TOLD / 'programs.py'}:{program}", "--out", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    ends = next(number for number, line in enumerate(lines) if "replay " in line)
    told = "\n".join(lines[:ends]).strip("\n") + "\n"
    file = TOLD / f"{program}-{width}.txt"
    if os.environ.get("SEMAFUZZ_WRITE_TOLD"):
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8")
    assert max(map(len, told.splitlines())) <= width


@pytest.mark.parametrize("width", [100, slow(60), slow(160)])
def test_novas_lost_count_of_failed_builds_is_told(width: int, semafuzz: Command) -> None:
    """The trace was found by ``semafuzz fuzz --operations build_failed``; on another code it is found again so."""
    done = semafuzz("replay", str(TOLD / "nova_build_failed.trace.json"), COLUMNS=str(width))
    assert done.returncode == 1, done.stdout + done.stderr
    told = done.stdout
    file = TOLD / f"nova_build_failed-{width}.txt"
    if os.environ.get("SEMAFUZZ_WRITE_TOLD"):
        file.write_text(told, encoding="utf-8")
    assert told == file.read_text(encoding="utf-8")
    assert "nova/compute/stats.py:150" in told
    assert "update is lost" in " ".join(told.split())


TEXTS = ["Account#1.balance", "bank:8 (deposit)", "0", "10", "Lock#1"]


def made(*steps: Step, **more: object) -> Run:
    values: dict[str, object] = {"operations": [], "holds": [], "switches": [], "events": len(steps), **more}
    lanes = [Lane(number, f"T{number}", "") for number in range(3)]
    return Run(lanes=lanes, steps=list(steps), texts=TEXTS, **values)  # type: ignore[arg-type]


def step(number: int, task: int, kind: str, before: int = 2, after: int = -1, what: int = 0) -> Step:
    return Step(number, task, kind, what, 1, before, after, True)


def test_an_update_that_is_lost_needs_another_write_in_between() -> None:
    read, write = step(0, 1, "read"), step(3, 1, "write", 2, 3)
    between = step(1, 2, "read"), step(2, 2, "write", 2, 3)
    switches = [Switch(1, 1, 2, preemption=True)]
    told = facts_sentence(made(read, *between, write, switches=switches))
    assert told.startswith("T1 read Account#1.balance = 0 at bank:8, T2 wrote 0")
    assert told.endswith("one update is lost.")
    assert "lost" not in facts_sentence(made(read, write, step(4, 2, "read"), switches=switches))
    assert facts_sentence(made(read, step(1, 2, "read"), switches=switches)) == ""
    assert facts_sentence(made(read, *between, write)) == "", "without a preemption or a pair nothing is said"
    assert "lost" in facts_sentence(made(read, *between, write, pair=[0, 2]))


def test_a_preemption_that_is_not_needed_tells_nothing() -> None:
    steps = step(0, 1, "read"), step(2, 2, "write", 2, 3), step(3, 1, "write", 2, 3)
    assert facts_sentence(made(*steps, switches=[Switch(1, 1, 2, preemption=True, needed="no")])) == ""


def test_who_waits_for_a_lock_that_somebody_holds() -> None:
    waits = Step(5, 1, "waits", 4, 1, -1, -1, True)
    told = facts_sentence(made(waits, waiting=[(1, "x")], holds=[Span(2, "Lock#1", 0, 5, open=True)]))
    assert told == "T1 waits at bank:8 for Lock#1, which T2 holds."
    assert "which" not in facts_sentence(made(waits, waiting=[(1, "x")]))


def test_a_long_run_is_folded_around_what_matters() -> None:
    steps = [Step(number, number % 2, "write", 0, 1, 2, 3, True) for number in range(200)]
    run_of_many = made(*steps, pair=[100, 101])
    lines = interleaving_lines(run_of_many, 120, {})
    assert len(lines) < 4 * ROWS
    assert sum("more)" in line for line in lines) == 2
    assert interleaving_lines(made(), 120, {}) == []
    narrow = interleaving_lines(run_of_many, 70, {"bank:8 (deposit)": "self.balance += amount"})
    assert max(map(len, narrow)) <= 70
    assert "T0  bank:8  self.balance += amount" in narrow


def test_what_a_task_does_is_told_in_full_above_its_column() -> None:
    steps = [Step(number, number % 2, "write", 0, 1, 2, 3, True) for number in range(4)]
    long = "drop_move_claim_at_dest(3) and much more that follows"
    run_of_two = made(*steps, operations=[Span(0, long, 0, 3), Span(0, "audit()", 3, 4)])
    lines = interleaving_lines(run_of_two, 100, {})
    head = " ".join(line.partition("\N{BOX DRAWINGS LIGHT VERTICAL}")[0].strip() for line in lines[:2])
    assert f"{long}, audit()" in head
    assert max(map(len, lines)) <= 100
