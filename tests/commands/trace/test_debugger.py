"""``semafuzz replay TRACE --pdb``: a prompt at the failing step, in a pseudo-terminal; the run goes on as before."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semafuzz.cli import run
from semafuzz.self_command import run_options
from tests.pytest_plugin.conftest import LOADED

BANK = """
import threading

class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self, amount):
        found = self.balance
        self.balance = found + amount

def two():
    account = Account()
    threads = [threading.Thread(target=account.deposit, args=(5,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 10
"""


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("debugged.py").write_text(BANK)
    assert run(["check", "debugged.py:two"]) == 1
    capsys.readouterr()
    (found,) = Path(".semafuzz").glob("*.json")
    return found


class Terminal:
    """A command in a pseudo-terminal."""

    def __init__(self, *arguments: str, python: bool = False) -> None:
        self._main, inner = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, *(() if python else run_options()), *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            close_fds=True,
        )
        os.close(inner)
        self.shown = ""

    def _more(self) -> bool:
        """Read what there is; False where the command has ended."""
        ready, _, _ = select.select([self._main], [], [], 0.2)
        if not ready:
            return self._process.poll() is None
        try:
            data = os.read(self._main, 65536)
        except OSError:
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)

    def read_until(self, text: str, seconds: float = 60.0) -> str:
        end = time.monotonic() + seconds
        while text not in self.shown and time.monotonic() < end and self._more():
            pass
        before, found, self.shown = self.shown.partition(text)
        assert found, before
        return before

    def type(self, line: str) -> None:
        os.write(self._main, f"{line}\n".encode())

    def end(self) -> tuple[int, str]:
        end = time.monotonic() + 60
        while time.monotonic() < end and self._more():
            pass
        code = self._process.wait(30)
        os.close(self._main)
        return code, self.shown


def test_it_stops_in_the_task_and_goes_on_as_before(trace: Path) -> None:
    terminal = Terminal("replay", str(trace), "--pdb")
    before = terminal.read_until("(Pdb) ")
    assert "one update is lost" in before, "the run is told above the prompt"
    assert "is about to" in before
    terminal.type("p account.balance")
    assert "5" in terminal.read_until("(Pdb) ")
    # Longer than a watchdog would wait for a run that stands still.
    time.sleep(6)
    terminal.type("len(dir(account))")
    terminal.read_until("(Pdb) ")
    terminal.type("c")
    code, after = terminal.end()
    assert code == 1
    assert "reproduces: assertion" in after
    assert "went on in another way" not in after


def test_it_stops_at_a_step(trace: Path) -> None:
    terminal = Terminal("replay", str(trace), "--break-at", "0")
    assert "step " in terminal.read_until("(Pdb) ")
    terminal.type("w")
    assert "debugged.py" in terminal.read_until("(Pdb) ")
    terminal.type("c")
    assert terminal.end()[0] == 1


def test_a_step_that_there_is_not_is_said(trace: Path) -> None:
    terminal = Terminal("replay", str(trace), "--break-at", "100000")
    code, shown = terminal.end()
    assert code == 1
    assert "no access from step 100000 on" in shown


STOPS = BANK.replace("        self.balance = found", "        breakpoint()\n        self.balance = found")

MARKED = "import pytest\n\n@pytest.mark.interleave\ndef test_two():\n    two()\n"


def test_a_search_passes_breakpoints_over_and_a_replay_stops_at_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("debugged.py").write_text(STOPS)
    assert run(["check", "debugged.py:two"]) == 1
    said = " ".join(capfd.readouterr().out.split())
    assert said.count("breakpoint() at debugged.py:10 is passed over in a search") == 1
    (found,) = Path(".semafuzz").glob("*.json")
    assert "bdb" not in found.read_text(), "nothing of a debugger is in the run"
    terminal = Terminal("replay", str(found))
    terminal.read_until("(Pdb) ")
    terminal.type("p found")
    assert "0" in terminal.read_until("(Pdb) ")
    # Longer than a watchdog would wait for a run that stands still.
    time.sleep(6)
    terminal.type("c")
    terminal.read_until("(Pdb) ")
    terminal.type("c")
    code, after = terminal.end()
    assert code == 1
    assert "reproduces: assertion" in after


def test_without_a_terminal_a_replay_does_not_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("debugged.py").write_text(STOPS)
    assert run(["check", "debugged.py:two"]) == 1
    (found,) = Path(".semafuzz").glob("*.json")
    assert run(["replay", str(found)]) == 1
    assert "(Pdb)" not in capfd.readouterr().out


def test_breakpoints_of_a_marked_test_stop_under_pdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("test_debugged.py").write_text(
        STOPS + "\nimport pytest\n\n@pytest.mark.interleave\ndef test_two():\n    two()\n"
    )
    terminal = Terminal("-m", "pytest", *LOADED, "-q", "--pdb", "-p", "no:cacheprovider", python=True)
    terminal.read_until("(Pdb) ")
    terminal.type("p found")
    assert "0" in terminal.read_until("(Pdb) ")
    terminal.type("c")
    terminal.read_until("(Pdb) ")
    terminal.type("c")
    assert "one update is lost" in terminal.read_until("(Pdb) "), "then pytest's own prompt, at the failure"
    terminal.type("q")
    assert "1 failed" in terminal.end()[1]
