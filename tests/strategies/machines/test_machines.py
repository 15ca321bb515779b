"""State machines over stepped tasks: those of the documentation, found and silent."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import rule

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import current
from semafuzz.harness.traces.codec import read
from semafuzz.strategies.generate.example_database import DatabaseWarning
from semafuzz.strategies.machines.base import ScheduledMachine
from semafuzz.strategies.machines.session import OUT, Found, default_folder, run_machine
from semafuzz.strategies.machines.target import machine_of

DOCS = Path(__file__).resolve().parents[3] / "docs"
QUICK = settings(max_examples=100, stateful_step_count=8, database=None, derandomize=True)


def blocks(name: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)


def test_the_machine_of_novas_tracker_is_the_one_that_can_be_run() -> None:
    """Ruff lays the two out differently, the statements are the same."""
    example = DOCS.parent / "examples" / "nova_tracker" / "test_tracker_machine.py"
    shown, run = (ast.parse(text) for text in (blocks("state-machines.md")[2], example.read_text()))
    assert list(map(ast.dump, shown.body)) == list(map(ast.dump, run.body[1:]))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files of the documentation, importable."""
    bank, bank_target = blocks("own-target.md")[:2]
    free, from_target = blocks("state-machines.md")[:2]
    names = {"bank": bank, "bank_target": bank_target, "test_bank": free, "test_bank_target": from_target}
    for name, text in names.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in names:
        sys.modules.pop(name, None)


def load(name: str) -> ModuleType:
    importlib.invalidate_caches()
    return importlib.import_module(name)


def mend(folder: Path) -> None:
    """Move the check under the lock, and the save behind the change."""
    text = (folder / "bank.py").read_text()
    body = text[text.index("        if self.balances") :]
    (folder / "bank.py").write_text(
        text.replace(
            body,
            "        with self.lock:\n"
            "            if self.balances[source] < amount:\n"
            "                raise Refused\n"
            "            self.balances[source] -= amount\n"
            "            self.balances[to] += amount\n"
            '        io("database save")\n',
        )
    )


def test_the_documented_machine_finds_the_stale_check(folder: Path) -> None:
    with pytest.raises(Found, match="overdrawn") as caught:
        run_machine(load("test_bank").BankMachine, QUICK)
    notes = "\n".join(caught.value.__notes__)
    assert "state.transfer(" in notes
    fewest = notes.partition("Fewest rules")[2].partition("state = BankMachine()")[0]
    assert fewest.count("state.transfer(") == 2, notes
    assert current.execution is None


def test_the_mended_bank_passes(folder: Path) -> None:
    mend(folder)
    run_machine(load("test_bank").BankMachine, QUICK)
    run_machine(load("test_bank_target").BankMachine, QUICK)


def test_the_machine_of_a_target_gives_a_trace_that_replays(folder: Path) -> None:
    with pytest.raises(Found) as caught:
        run_machine(load("test_bank_target").BankMachine, QUICK, folder / "out")
    notes = caught.value.__notes__
    command = next(line for line in notes if line.startswith("semafuzz replay"))
    assert any(line.startswith("Smallest program: transfer(") for line in notes)
    arguments = command.split()[1:]
    trace = read(Path(arguments[1]))
    assert sum(len(task) for task in trace.program.tasks) <= 2  # type: ignore[union-attr]
    done = subprocess.run(
        [sys.executable, "-m", "semafuzz", *arguments, "--json"],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["digest"] == trace.expected.digest


@pytest.mark.slow
def test_what_only_concurrency_breaks_is_found_by_stepping_alone(folder: Path) -> None:
    """Without further schedules and without faults, the steps drawn suffice. What Hypothesis draws depends on
    the modules that other tests have imported, so that one seed may miss it."""
    target = load("bank_target").Bank.target()
    machine = machine_of(target, schedules=0, faults=False)

    def search() -> None:
        for number in range(6):
            run_machine(
                seed(number)(machine),
                settings(QUICK, max_examples=800, stateful_step_count=12, derandomize=False),
                folder / "out",
            )

    with pytest.raises(Found, match="has -") as caught:
        search()
    assert any("1 preemption;" in line for line in caught.value.__notes__)


def test_a_test_case_runs_under_unittest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps its trace where ``fuzz`` does, or where the pytest plugin says."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv(OUT, raising=False)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(load("test_bank_target").TestBank).run(result)
    assert result.testsRun == 1
    assert len(result.failures) == 1
    said = result.failures[0][1]
    assert "Smallest program" in said
    # Traces of other failures, met on the way, are kept beside the one that is told.
    kept = [path for path in (folder / ".semafuzz").iterdir() if f"semafuzz replay .semafuzz/{path.name}" in said]
    assert len(kept) == 1
    monkeypatch.setenv(OUT, str(folder / "elsewhere"))
    assert default_folder() == folder / "elsewhere"


def test_the_schedule_that_is_left_is_told(folder: Path) -> None:
    with pytest.raises(Found) as caught:
        run_machine(machine_of(load("bank_target").Bank.target(), faults=False), QUICK, folder / "out")
    notes = caught.value.__notes__
    start = next(number for number, line in enumerate(notes) if line.startswith("It takes 1 preemption"))
    told = notes[start + 1 : -1]
    assert [line.rpartition(" up to ")[1] or line[-11:] for line in told] == [" up to ", " to the end", " to the end"]


def test_a_damaged_example_costs_a_warning_that_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also without a profile of ours."""
    place = folder / "examples"
    kept = settings(QUICK, derandomize=False, database=DirectoryBasedExampleDatabase(place))
    machine = load("test_bank").BankMachine
    for _ in range(2):
        with pytest.raises(Found):
            run_machine(machine, settings(kept, max_examples=1000))
    damaged = [file for file in place.glob("*/*") if file.is_file()]
    for file in damaged:
        file.write_bytes(b"\xff\x00noise" * 50)
    with pytest.warns(DatabaseWarning, match="skips .*: it holds no example"), pytest.raises(Found):
        run_machine(machine, settings(kept, max_examples=1000))


def test_a_machine_without_control_says_what_to_do() -> None:
    class Alone(ScheduledMachine):
        @rule()
        def nothing(self) -> None:
            pass

    with pytest.raises(UsageError, match=r"Alone\.TestCase"):
        Alone()


def test_an_unknown_module_is_refused() -> None:
    class Lost(ScheduledMachine):
        modules = ("no_such_module",)

    with pytest.raises(UsageError, match="cannot be imported"):
        run_machine(Lost, QUICK)


def test_time_passes_between_steps(folder: Path) -> None:
    (folder / "late.py").write_text(
        "import time\n\n\nclass Late:\n    def __init__(self):\n        self.woken = False\n\n"
        "    def work(self):\n        time.sleep(100)\n        self.woken = True\n"
    )
    late: Any = load("late")
    seen: list[bool] = []

    class Sleeper(ScheduledMachine):
        modules = ("late",)

        def begin(self) -> None:
            self.late = late.Late()

        @rule()
        def sleep(self) -> None:
            self.start(self.late.work)

        def check_step(self) -> None:
            seen.append(self.late.woken)

    run_machine(Sleeper, settings(QUICK, max_examples=30))
    assert set(seen) == {False, True}
    sys.modules.pop("late")


def test_operations_may_have_the_names_of_methods_of_machines(folder: Path) -> None:
    text = (folder / "bank_target.py").read_text().replace("def transfer(", "def settle(")
    (folder / "bank_target.py").write_text(text)
    machine = machine_of(load("bank_target").Bank.target())
    with pytest.raises(Found, match=r"settle\("):
        run_machine(machine, QUICK)
