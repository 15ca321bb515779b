"""``@semafuzz.interleave``: under pytest, on methods of unittest's test cases, and without pytest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import semafuzz

Session = Callable[..., pytest.RunResult]
TESTS = """
import threading
import unittest
import semafuzz


class Account:
    def __init__(self):
        self.balance = 0
        self.lock = threading.Lock()

    def deposit(self):
        self.balance += 1

    def deposit_safely(self):
        with self.lock:
            self.balance += 1


def both(method):
    threads = [threading.Thread(target=method) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestAccount(unittest.TestCase):
    def setUp(self):
        self.account = Account()

    def tearDown(self):
        assert self.account.balance <= 2, "each execution has a test case of its own"

    @semafuzz.interleave(schedules=300)
    def test_broken(self):
        both(self.account.deposit)
        assert self.account.balance == 2

    @semafuzz.interleave(schedules=300)
    def test_repaired(self):
        both(self.account.deposit_safely)
        assert self.account.balance == 2

    def test_plain(self):
        assert self.account.balance == 0
"""
FUNCTION = """

@semafuzz.interleave(schedules=300)
def test_function():
    account = Account()
    both(account.deposit)
    assert account.balance == 2
"""


def test_methods_of_test_cases_explore_themselves(session: Session) -> None:
    result = session(TESTS)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["*assertion: AssertionError*", "*in schedule *", "*Account.deposit*", "*one update is lost*", "*replay:"]
    )
    assert "explored_case.py" not in result.stdout.str(), "frames of ours are left out"


def test_a_function_is_run_by_the_plugin(session: Session, pytester: pytest.Pytester) -> None:
    session(TESTS + FUNCTION, "-k", "function").assert_outcomes(failed=1, deselected=3)
    assert list(pytester.path.glob(".semafuzz/*/*.json")), "its trace is kept"


def test_without_pytest(tmp_path: Path) -> None:
    (tmp_path / "test_account.py").write_text(TESTS)
    done = subprocess.run([sys.executable, "-m", "unittest", "-q"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Ran 3 tests" in done.stderr
    assert "FAILED (failures=1)" in done.stderr
    assert "AssertionError: assertion: AssertionError" in done.stderr
    assert "one update is lost" in done.stderr
    assert "decorator.py" not in done.stderr, "frames of ours are left out"
    command = next(line for line in done.stderr.splitlines() if " replay " in line)
    trace, _, spec = command.partition(" replay ")[2].partition(" --program ")
    assert spec == "test_account.py::TestAccount::test_broken"
    again = subprocess.run(
        [sys.executable, "-m", "semafuzz", "replay", trace, "--program", spec],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 1, again.stdout + again.stderr


def test_it_needs_no_pytest(tmp_path: Path) -> None:
    """Under stestr there may be none."""
    (tmp_path / "test_account.py").write_text(TESTS)
    without = (
        "import sys; sys.modules['pytest'] = None\nimport unittest; unittest.main('test_account', argv=['x', '-q'])"
    )
    done = subprocess.run([sys.executable, "-c", without], cwd=tmp_path, capture_output=True, text=True)
    assert "one update is lost" in done.stderr, done.stderr


def test_a_function_without_pytest(tmp_path: Path) -> None:
    (tmp_path / "account.py").write_text(TESTS + FUNCTION)
    done = subprocess.run(
        [sys.executable, "-c", "import account\naccount.test_function()"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "AssertionError: assertion in schedule" in done.stderr, done.stderr


def test_what_is_no_option_is_refused() -> None:
    with pytest.raises(semafuzz.errors.UsageError, match="no option 'speed'"):
        semafuzz.interleave(speed=3)
