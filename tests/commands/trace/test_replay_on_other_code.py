"""A trace on code that is not the code that made it: yes, no, or it cannot be told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run

BANK = """
import threading

LOCK = threading.Lock()


class Account:
    def __init__(self):
        self.balance = 0
        self.note = ""

    def add(self):
        self.balance += 1


def two():
    account = Account()
    threads = [threading.Thread(target=account.add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 2
"""

Judge = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Judge:
    """Makes a trace of a lost update, changes the file by replacing, and replays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    file = tmp_path / "bank.py"

    def replay(old: str, new: str, *options: str) -> tuple[int, dict[str, Any]]:
        file.write_text(BANK)
        sys.modules.pop("bank", None)
        assert run(["check", "bank.py:two", "--json"]) == 1
        trace = json.loads(capsys.readouterr().out.splitlines()[-1])["failures"][0]["trace"]
        assert old in BANK
        # As in a new process: elsewhere, and not imported yet.
        other = tmp_path / "other" / "bank.py"
        other.parent.mkdir(exist_ok=True)
        other.write_text(BANK.replace(old, new))
        sys.modules.pop("bank")
        code = run(["replay", trace, "--json", "--program", f"{other}:two", *options])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return replay


def test_lines_above_do_not_matter(judge: Judge) -> None:
    code, answer = judge("class Account", "# one\n# two\n\n\nclass Account")
    assert code == 1
    assert (answer["identical"], answer["schedules"]) == (True, 0)


def test_more_events_between_the_choices_do_not_hide_it(judge: Judge) -> None:
    code, answer = judge("    account = Account()\n", "    account = Account()\n    account.note += 'x'\n")
    assert code == 1
    assert answer["diverged"]
    assert answer["reproduces"] is True


def test_a_lock_mends_it_and_all_schedules_prove_it(judge: Judge) -> None:
    code, answer = judge("        self.balance += 1", "        with LOCK:\n            self.balance += 1")
    assert code == 0
    assert "every schedule was run" in answer["why"]
    assert answer["schedules"] > 10
    assert answer["diverged"]


def test_a_search_that_was_cut_proves_nothing(judge: Judge) -> None:
    mended = ("        self.balance += 1", "        with LOCK:\n            self.balance += 1")
    code, answer = judge(*mended, "--search", "1")
    assert (code, answer["judged"]) == (125, False)
    assert "proves nothing" in answer["why"]
    code, answer = judge(*mended, "--search", "0")
    assert (code, answer["judged"]) == (125, False)
    assert answer["why"] == f"the trace does not fit this code: {answer['diverged']}"


def test_the_recorded_schedule_fits_and_nothing_fails(judge: Judge) -> None:
    code, answer = judge("balance == 2", "balance in (1, 2)")
    assert (code, answer["schedules"]) == (0, 0)
    assert "fits, and nothing fails" in answer["why"]


def test_the_recorded_choices_fit_between_other_events(judge: Judge) -> None:
    old = "    for thread in threads:\n        thread.join()\n    assert account.balance == 2\n"
    new = "    for thread in threads:\n        thread.join()\n    assert account.balance in (1, 2)\n"
    account = "class Account:\n    def __init__(self):\n        self.balance = 0\n"
    code, answer = judge(BANK, BANK.replace(old, new).replace(account, account + "        self.more = 1\n"))
    assert code == 0
    assert answer["diverged"]
    assert "with other events between them" in answer["why"]


def test_what_fails_without_concurrency_is_another_defect(judge: Judge) -> None:
    code, answer = judge("self.balance += 1", "pass")
    assert code == 125
    assert "without any preemption" in answer["why"]


def test_another_failure_proves_nothing(judge: Judge) -> None:
    code, answer = judge("    def add(self):\n        self.balance += 1", "    def add_no_more(self):\n        pass")
    assert code == 125
    assert "does not fit" in answer["why"]
    assert "AttributeError" in answer["why"]
    code, answer = judge("    assert account.balance == 2", "    raise ValueError(account.balance)")
    assert code == 125
    assert "another failure: exception: ValueError: 1" in answer["why"]


def test_what_is_missing_is_told_with_the_step(judge: Judge) -> None:
    code, answer = judge("self.balance += 1", "self.note = self.note + str(self.balance)")
    assert code == 125
    assert "at step 14 " in answer["why"]


def test_release_and_source_are_for_nova(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bank.py").write_text(BANK)
    assert run(["check", "bank.py:two", "--json"]) == 1
    trace = json.loads(capsys.readouterr().out.splitlines()[-1])["failures"][0]["trace"]
    for options in (["--release", "33.0.2"], ["--source", "."]):
        assert run(["replay", trace, *options]) == 4
        assert "go with traces of Nova" in capsys.readouterr().err
    assert run(["replay", trace, "--release", "33.0.2", "--source", "."]) == 4
    assert "exclude each other" in capsys.readouterr().err
