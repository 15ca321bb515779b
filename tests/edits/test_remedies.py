"""Remedies that are tried: a lock that makes a finding vanish, one that does not, one that deadlocks."""

from __future__ import annotations

import ast
import json
import os
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from semafuzz.cli import run
from semafuzz.harness.edits.functions import edited, find_function
from semafuzz.harness.edits.remedies import Remedies, Remedy, parse_remedy
from semafuzz.harness.edits.remedy_lock import lock_of
from semafuzz.harness.errors import UsageError

BANK = """
    import threading

    LOCK = threading.Lock()

    class Account:
        def __init__(self):
            self.balance = 0
            self._lock = threading.Lock()

        def deposit(self):
            "Add one."
            found = self.balance
            self.balance = found + 1

        def under_lock(self):
            with self._lock:
                self.deposit()

    def two():
        account = Account()
        threads = [threading.Thread(target=account.deposit) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert account.balance == 2

    def one_locked():
        Account().under_lock()
"""


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    file = tmp_path / "remedied.py"
    file.write_text(textwrap.dedent(BANK))
    return file


def check(bank: Path, capsys: pytest.CaptureFixture[str], function: str, *remedies: str) -> tuple[int, dict[str, Any]]:
    options = [part for one in remedies for part in ("--what-if", one)]
    code = run(["check", f"{bank}:{function}", *options, "--out", str(bank.parent / "out"), "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(
    "remedy",
    [
        "lock Account.deposit with _lock",
        "lock deposit with LOCK",
        "lock deposit with _made_now",
        "hold _lock from deposit:13 to deposit:14",
    ],
)
def test_a_remedy_makes_it_complete(remedy: str, bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(bank, capsys, "two")[1]["verdict"] == "found"
    code, answer = check(bank, capsys, "two", remedy)
    assert (code, answer["verdict"]) == (0, "complete")
    assert bank.read_text() == textwrap.dedent(BANK)


def test_one_that_holds_too_little_does_not_and_its_trace_replays_with_it(
    bank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = check(bank, capsys, "two", "hold _lock from deposit:13 to deposit:13")
    (found,) = answer["failures"]
    assert (code, found["confirmed"]) == (1, True)
    assert found["places"][0].startswith("remedied:14"), "lines stay where they are"
    assert run(["replay", found["trace"], "--program", f"{bank}:two", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["identical"]


def test_one_that_deadlocks_is_shown_to(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(bank, capsys, "one_locked")[0] == 0
    code, answer = check(bank, capsys, "one_locked", "lock deposit with _lock")
    assert (code, answer["failures"][0]["kind"]) == (1, "deadlock")


def test_it_is_tried_on_any_class(bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, out = f"{bank}:Account", str(bank.parent / "out")
    assert run(["matrix", "pairs", spec, "--out", out, "--json"]) == 1
    capsys.readouterr()
    code = run(["matrix", "pairs", spec, "--out", out, "--what-if", "lock deposit with _lock", "--json"])
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert code == 1, "a plain lock is no remedy here"
    assert all(one["confirmed"] for one in answer["failures"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("guard deposit", "is no remedy"),
        ("hold a from one:1 to other:2", "is no remedy"),
        ("hold a from one:3 to one:2", "comes before"),
        ("lock nothing with a", "has a function 'nothing'"),
        ("hold _lock from deposit:12 to deposit:99", "no whole statements"),
    ],
)
def test_what_is_none_is_said(text: str, said: str, bank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", f"{bank}:two", "--what-if", text, "--out", str(bank.parent / "out")]) == 4
    assert said in capsys.readouterr().err


def test_remedies_are_read_and_applied_once() -> None:
    assert parse_remedy("lock A.b with c") == Remedy("A.b", "c")
    assert parse_remedy("hold c from A.b:3 to A.b:7") == Remedy("A.b", "c", 3, 7)
    tree = ast.parse("class A:\n    def b(self):\n        'Text.'\n        return 1\n")
    remedies = Remedies([parse_remedy("lock A.b with c")])
    remedies("module", tree)
    function = find_function(tree, "A.b")
    assert function is not None
    assert [type(node).__name__ for node in function.body] == ["Expr", "With"]
    remedies.check()
    with pytest.raises(UsageError, match="has a function"):
        Remedies([parse_remedy("lock x with c")]).check()


def test_nothing_but_a_lock_is_entered() -> None:
    """A trace from elsewhere may name anything."""

    class Owner:
        def __init__(self) -> None:
            self.file = open(os.devnull)  # noqa: SIM115
            self.lock = threading.Lock()

    owner = Owner()
    with owner.file:
        assert lock_of(owner, "lock", {}) is owner.lock
        made = lock_of(owner, "file", {"file": owner.file})
        assert made is not owner.file
        assert lock_of(owner, "file", {}) is made
    variables: dict[str, Any] = {"LOCK": owner.lock}
    assert lock_of(None, "LOCK", variables) is owner.lock
    assert lock_of(None, "OTHER", variables) is variables["OTHER"]


def test_functions_are_found_by_their_names() -> None:
    tree = ast.parse("class A:\n    def run(self): pass\nclass B:\n    def run(self): pass\ndef alone(): pass\n")
    assert find_function(tree, "A.run") is not find_function(tree, "B.run")
    assert find_function(tree, "alone") is not None
    assert find_function(tree, "other") is None
    with pytest.raises(UsageError, match="several"):
        find_function(tree, "run")
    changed = edited(tree, "alone", lambda node: node.body.append(ast.Return(ast.Constant(1))))
    assert len(find_function(tree, "alone").body) == 1  # type: ignore[union-attr]
    assert len(find_function(changed, "alone").body) == 2  # type: ignore[union-attr]


BEHIND_A_PROPERTY = """
import threading


class Account:
    def __init__(self):
        self._inner = threading.RLock()
        self.balance = 0

    @property
    def lock(self):
        return self._inner

    def locked(self):
        with self.lock:
            seen = self.balance
            self.balance = seen + 1

    def unlocked(self):
        seen = self.balance
        self.balance = seen + 1


def both():
    account = Account()
    threads = [threading.Thread(target=one) for one in (account.locked, account.unlocked)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 2
"""


def test_a_lock_may_be_a_property(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "behind.py").write_text(BEHIND_A_PROPERTY)
    assert run(["check", "behind.py:both"]) == 1
    assert run(["check", "behind.py:both", "--what-if", "lock Account.unlocked with lock"]) == 0


ANSWERS = """
import threading


class Any:
    def __init__(self):
        self.__dict__["children"] = {}

    def __getattr__(self, name):
        if name not in self.__dict__["children"]:
            self.__dict__["children"][name] = Any()
        return self.__dict__["children"][name]


def two_ask():
    parent, got = Any(), []
    threads = [threading.Thread(target=lambda: got.append(parent.child)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[0] is got[1]
"""


def test_an_object_that_answers_with_anything_is_not_asked_for_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.py").write_text(ANSWERS)
    assert run(["check", "answers.py:two_ask"]) == 1
    assert run(["check", "answers.py:two_ask", "--what-if", "lock Any.__getattr__ with guard"]) == 0
    capsys.readouterr()
