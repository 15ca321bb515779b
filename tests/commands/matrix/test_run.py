"""``semafuzz matrix``: the table of defects and releases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz import self_command
from semafuzz.commands.matrix import run
from semafuzz.reports.terminal.release_bars import WaitingTable
from semafuzz.strategies.fuzz.defect_check import Cell, Judging
from semafuzz.targets.model.catalogue import Defect
from tests.conftest import Run

pytestmark = pytest.mark.nova


@pytest.mark.slow
def test_defects_show_where_they_are_and_are_silent_where_not(semafuzz: Run) -> None:
    """One with a fault, one with two tasks, one that this release does not have."""
    names = "lost-answer-of-save,failed-builds-lost,claim-on-a-vanished-node"
    done = semafuzz("matrix", "nova", "--releases", "34.0.0", "--only", names, "--keep", "kept", "--schedules", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()[1:]}
    assert rows == {"lost-answer-of-save": "shows", "failed-builds-lost": "shows", "claim-on-a-vanished-node": "silent"}
    again = semafuzz("replay", "kept/failed-builds-lost.json", "--json")
    assert again.returncode == 1, again.stderr


def test_a_trace_of_green_threads_replays(semafuzz: Run) -> None:
    """It is made on code that is instrumented as little as that of its replay."""
    options = ("--releases", "34.0.0", "--model", "eventlet", "--only", "revert-uncounted-devices", "--keep", "kept")
    assert semafuzz("matrix", "nova", *options).returncode == 0
    again = semafuzz("replay", "kept/revert-uncounted-devices.json", "--json")
    assert (again.returncode, json.loads(again.stdout)["reproduces"]) == (1, True), again.stderr


def test_as_json(semafuzz: Run) -> None:
    done = semafuzz("matrix", "nova", "--releases", "34.0.0", "--only", "failed-builds-lost", "--json")
    (cell,) = json.loads(done.stdout)["releases"]["34.0.0"]
    assert cell["answer"] == "shows"
    assert "failed_builds" in cell["said"]


def test_a_release_that_cannot_be_had_is_a_question_mark(semafuzz: Run) -> None:
    done = semafuzz("matrix", "nova", "--releases", "99.0.0", "--only", "failed-builds-lost")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].split() == ["failed-builds-lost", "?"]
    assert "99.0.0" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("reference", "--releases", "1"), "keeps no catalogue"),
        (("nova", "--releases", "34.0.0", "--only", "none"), "no defect is called 'none'"),
    ],
)
def test_bad_usage(semafuzz: Run, arguments: tuple[str, ...], said: str) -> None:
    done = semafuzz("matrix", *arguments)
    assert done.returncode == 4
    assert said in done.stderr


def test_the_list(semafuzz: Run) -> None:
    done = semafuzz("list", "defects")
    assert done.returncode == 0
    assert "failed-builds-lost: build_failed changes the count" in done.stdout
    assert "build_failed() || build_failed()" in done.stdout


def _entry(**values: object) -> Defect:
    blank: dict[str, object] = dict.fromkeys(Defect.__dataclass_fields__, "")
    return Defect(**{**blank, "name": "lost", "affected": (), "fixed": (), "models": (), **values})  # type: ignore[arg-type]


def test_what_contradicts_the_catalogue_is_told() -> None:
    shows, silent = Cell("lost", "shows", 3, "x"), Cell("lost", "silent", 60)
    affected, fixed = _entry(affected=("1",)), _entry(fixed=("1",))
    threads = _entry(affected=("1",), models=("threads",))

    def wrong(defect: Defect, cell: Cell, model: str = "threads") -> list[str]:
        return run._wrong([defect], {"1": [cell]}, model)

    assert wrong(affected, shows) == wrong(fixed, silent) == wrong(threads, silent, "eventlet") == []
    assert "is known to be in 1 and does not show (60 schedules)" in wrong(affected, silent)[0]
    assert "is said to be fixed in 1 and shows: x" in wrong(fixed, shows)[0]
    assert wrong(threads, silent) != []


ANSWERS_ONCE = """
import json, time
print("{of the target}")
print(json.dumps({"defect": "failed-builds-lost", "answer": "shows", "schedules": 3, "said": "x"}), flush=True)
time.sleep(60)
"""


def test_who_interrupts_keeps_the_answers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    press: Callable[[], None],
) -> None:
    script = tmp_path / "judges.py"
    script.write_text(ANSWERS_ONCE)
    monkeypatch.setattr(self_command, "run_options", lambda: [str(script)])

    def tell(_: WaitingTable, column: str, last: str, answers: Counter[str]) -> None:
        if last:
            # As `timeout` does.
            press()
            press()

    monkeypatch.setattr(WaitingTable, "tell", tell)
    judging = Judging(only="failed-builds-lost,lp1818914")
    assert run.run_matrix("nova", ["34.0.0", "34.0.1"], judging, 1, True) == 2
    told = capsys.readouterr()
    assert "interrupted; above is what was judged so far" in told.err
    assert json.loads(told.out)["wrong"] == []
    assert {
        release: [cell["answer"] for cell in cells] for release, cells in json.loads(told.out)["releases"].items()
    } == {"34.0.0": ["shows", "?"], "34.0.1": ["?", "?"]}


STAYS = """
import json, os, sys, time
open(sys.argv[0] + ".pid", "w").write(str(os.getpid()))
print(json.dumps({"defect": "failed-builds-lost", "answer": "shows", "schedules": 3, "said": "x"}), flush=True)
time.sleep(600)
"""
COMMAND = """
import signal, sys
# Whoever runs the tests may have these ignored.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from semafuzz import self_command
from semafuzz.commands.matrix.run import run_matrix
from semafuzz.strategies.fuzz.defect_check import Judging
self_command.run_options = lambda: [sys.argv[1]]
sys.exit(run_matrix("nova", ["34.0.0"], Judging(only="failed-builds-lost,lp1818914"), 1, True))
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP], ids=str)
def test_who_ends_it_keeps_the_answers_and_leaves_no_process(tmp_path: Path, ending: signal.Signals) -> None:
    script = tmp_path / "judges.py"
    script.write_text(STAYS)
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        noted = script.with_name("judges.py.pid")
        while not noted.exists() or not noted.read_text():
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(ending)
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    cells = json.loads(said)["releases"]["34.0.0"]
    assert [cell["answer"] for cell in cells] == ["shows", "?"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


# The handler is there before the first answer is, to which the interrupt is the reply.
ANSWERS_LATE = (
    """
import json, signal, sys, time


def late(*_):
    time.sleep(0.5)
    print(json.dumps({"defect": "lp1818914", "answer": "silent"}), flush=True)
    sys.exit()


signal.signal(signal.SIGINT, late)
"""
    + ANSWERS_ONCE
)


def test_what_is_drawn_goes_away_after_the_last_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, press: Callable[[], None]
) -> None:
    script = tmp_path / "judges.py"
    script.write_text(ANSWERS_LATE)
    monkeypatch.setattr(self_command, "run_options", lambda: [str(script)])
    told: list[str] = []

    def tell(_: WaitingTable, column: str, last: str, answers: Counter[str]) -> None:
        told.append(last)
        if answers.total() == 1:
            press()

    monkeypatch.setattr(WaitingTable, "tell", tell)
    monkeypatch.setattr(WaitingTable, "clear", lambda _: told.append("cleared"))
    assert run.run_matrix("nova", ["34.0.0"], Judging(only="failed-builds-lost,lp1818914"), 1, True) == 2
    assert told == ["", "failed-builds-lost", "lp1818914", "cleared"]
