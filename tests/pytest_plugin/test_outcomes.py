"""Skips, expected failures, escapes from control, and state that outlives an execution."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]
ESCAPES = """
@pytest.mark.interleave
{mark}
def test_escapes():
    import subprocess, sys
    together(lambda: subprocess.run([sys.executable, "-c", "pass"]), lambda: None)
"""


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("pytest.skip('not here')", "skipped"),
        ("import unittest; raise unittest.SkipTest('not here')", "skipped"),
        ("pytest.importorskip('no_such_module_anywhere')", "skipped"),
        ("pytest.xfail('known')", "xfailed"),
        ("pytest.fail('on purpose')", "failed"),
        ("together(lambda: 1 / 0)", "failed"),
        ("together(lambda: pytest.raises(ZeroDivisionError, lambda: 1 / 0))", "passed"),
    ],
)
def test_a_test_ends_as_it_says(session: Session, body: str, outcome: str) -> None:
    result = session(f"@pytest.mark.interleave(schedules=5)\ndef test_it():\n    {body}\n", "-W", "ignore")
    result.assert_outcomes(**{outcome: 1})


def test_the_end_of_the_session_ends_it(session: Session, repaired: str) -> None:
    result = session("@pytest.mark.interleave\ndef test_it():\n    pytest.exit('enough', returncode=7)\n" + repaired)
    assert result.ret == 7
    result.assert_outcomes()


def test_an_expected_failure_is_one(session: Session, broken: str, repaired: str) -> None:
    result = session("@pytest.mark.xfail(raises=AssertionError)" + broken)
    result.assert_outcomes(xfailed=1)
    assert "error (expected): test_bank.py::test_two[portfolio]" in result.stdout.str()
    session("@pytest.mark.xfail(raises=AssertionError, strict=True)" + repaired).assert_outcomes(failed=1)
    session("@pytest.mark.xfail(raises=KeyError)" + broken).assert_outcomes(failed=1)


@pytest.mark.parametrize("mark", ["", "@pytest.mark.xfail"])
def test_what_escapes_control_fails_and_is_named(session: Session, mark: str) -> None:
    result = session(ESCAPES.format(mark=mark))
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "uncontrolled: nothing can be said of test_bank.py::test_escapes" in text
    assert "a process was started" in text
    assert "1 uncontrolled" in text
    assert "Traceback" not in text


def test_state_in_a_fixture_is_not_taken_for_a_race(session: Session) -> None:
    source = """
@pytest.fixture
def account():
    return Account()

@pytest.mark.interleave
def test_shared(account):
    together(account.deposit_safely, account.deposit_safely)
    assert account.balance == 2

@pytest.mark.interleave
def test_factory(make_account):
    account = make_account()
    together(account.deposit_safely, account.deposit_safely)
    assert account.balance == 2
"""
    result = session(source)
    result.assert_outcomes(failed=1, passed=1)
    text = result.stdout.str()
    assert "test_bank.py::test_shared: its first schedule passed, and failed when it was run again later" in text
    assert "the fixtures account are set up once for all of them" in text
    assert "interleave findings" not in text


def test_a_race_through_a_factory_is_found(session: Session, broken: str) -> None:
    source = broken.replace("test_two()", "test_two(make_account)").replace("Account()", "make_account()")
    session(source).assert_outcomes(failed=1)


def test_state_of_the_module_is_not_taken_for_a_race(session: Session) -> None:
    source = """
SEEN = []

@pytest.mark.interleave
def test_it():
    together(lambda: SEEN.append(1), lambda: SEEN.append(1))
    assert len(SEEN) == 2
"""
    result = session(source)
    result.assert_outcomes(failed=1)
    assert "its module is once for all of them" in result.stdout.str()


@pytest.mark.parametrize(
    ("made", "body"),
    [
        ("threading.Lock()", "def act():\n        with thing: pass\n    together(act, act)"),
        ("threading.RLock()", "def act():\n        with thing, thing: pass\n    together(act, act)"),
        ("threading.Event()", "together(thing.set, thing.wait)"),
        ("queue.Queue()", "got = []\n    together(lambda: thing.put(1), lambda: got.append(thing.get()))"),
        ("Holder()", "together(thing.ready.set, thing.ready.wait)"),
        ("threading.Barrier(2)", "together(thing.wait, thing.wait)"),
    ],
)
def test_primitives_made_by_fixtures_are_controlled(session: Session, made: str, body: str) -> None:
    source = f"""
import queue

class Holder:
    def __init__(self):
        self.ready = threading.Event()

@pytest.fixture
def thing():
    return {made}

@pytest.mark.interleave(schedules=60)
def test_it(thing):
    {body}
"""
    session(source, "-W", "error").assert_outcomes(passed=1)


def test_a_deadlock_says_who_waits_for_whom(session: Session) -> None:
    source = """
@pytest.mark.interleave
def test_it():
    first, second = threading.Lock(), threading.Lock()
    def one():
        with first, second: pass
    def other():
        with second, first: pass
    together(one, other)
"""
    result = session(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["deadlock: tasks wait for each other:*", "*takes Lock#*", "*waits for Lock#*"])


def test_each_distinct_thing_is_said_once(session: Session) -> None:
    source = """
import logging, warnings

@pytest.mark.interleave(schedules=300)
def test_it(caplog):
    print("printed")
    warnings.warn("deprecated", DeprecationWarning)
    logging.getLogger("bank").warning("logged")
    account = Account()
    together(account.deposit, account.deposit)
    assert len(caplog.records) == 1
    assert account.balance == {}
"""
    result = session(source.format("2"))
    result.assert_outcomes(failed=1, warnings=1)
    text = result.stdout.str()
    assert text.count("printed") == 1
    assert text.count("logged") == 1
    result = session(source.format("account.balance"), "-rP")
    result.assert_outcomes(passed=1, warnings=1)
    assert "printed" not in result.stdout.str()


def test_capsys_works_in_each_execution(session: Session) -> None:
    source = """
@pytest.mark.interleave(schedules=20)
def test_it(capsys):
    together(lambda: print("one"), lambda: print("other"))
    assert sorted(capsys.readouterr().out.split()) == ["one", "other"]
"""
    session(source, "-W", "ignore").assert_outcomes(passed=1)
