"""Assertions explain themselves, and their explanation is not part of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz.harness.traces import codec

Session = Callable[..., pytest.RunResult]
TALKATIVE = """
class Talkative(Account):
    def __repr__(self):
        with self.lock:
            return f"Talkative({self.balance})"
"""


def traced(pytester: pytest.Pytester) -> Path:
    (found,) = pytester.path.glob(".semafuzz/*/*.json")
    return found


@pytest.mark.parametrize(
    ("assertion", "words"),
    [
        ("account.balance == 2", "where 1 = <test_bank.Account object at 0x...>.balance"),
        ("account.balance == 2, 'one is lost'", "AssertionError: one is lost"),
        ("{'sum': account.balance} == {'sum': 2}", "{'sum': 1} != {'sum': 2}"),
        ("account.balance == 2 and account", "assert (1 == 2"),
        ("account.balance in (0, 2)", "assert 1 in (0, 2)"),
        ("not account.balance == 1", "assert not 1 == 1"),
        ("all(n == 2 for n in [account.balance])", "assert False"),
    ],
)
def test_a_failed_assertion_explains_itself(session: Session, assertion: str, words: str, broken: str) -> None:
    result = session(broken.replace("account.balance == 2", assertion))
    result.assert_outcomes(failed=1)
    assert words in result.stdout.str()


def test_without_rewriting_it_fails_all_the_same(process: Session, broken: str) -> None:
    # In this process the session around it would rewrite the assertions.
    result = process(broken, "--assert=plain")
    result.assert_outcomes(failed=1)
    assert "assertion: AssertionError (in MainThread)" in result.stdout.str()


def test_the_trace_is_that_of_the_plain_source(process: Session, pytester: pytest.Pytester, broken: str) -> None:
    """Rewritten or not, with a ``__repr__`` that takes a lock and reads what races."""
    source = TALKATIVE + broken.replace("Account()", "Talkative()")
    explained = process(source)
    assert "where 1 = Talkative(1).balance" in explained.stdout.str()
    first = codec.read(traced(pytester)).expected
    process(source, "--assert=plain").assert_outcomes(failed=1)
    second = codec.read(traced(pytester)).expected
    assert (first.digest, first.events, first.signature) == (second.digest, second.events, second.signature)
    assert first.message != second.message


def test_no_address_gets_into_a_trace(session: Session, pytester: pytest.Pytester, broken: str) -> None:
    session(broken.replace("account.balance == 2", "account is None or account.balance == 2"))
    text = traced(pytester).read_text()
    assert "object at 0x..." in text
    assert "object at 0x7" not in text


def test_the_module_is_left_as_it_was(session: Session, broken: str) -> None:
    source = (
        broken
        + """
def test_after():
    assert not [name for name in globals() if name.startswith("__sf_")]
    assert globals()["@pytest_ar"].__name__ == "_pytest.assertion.rewrite"
    assert Account.deposit.__code__.co_names == ("balance",)
"""
    )
    session(source).assert_outcomes(failed=1, passed=1)


def test_a_test_file_need_not_begin_with_its_first_statement(pytester: pytest.Pytester, session: Session) -> None:
    """pytest adds imports at the line of the first statement, which end nowhere."""
    pytester.makepyfile(
        test_late='''
        """A docstring, as most files have."""

        # and a comment

        import threading

        import pytest


        @pytest.mark.interleave(schedules=5)
        def test_it():
            assert threading.current_thread()
        '''
    )
    session("", "test_late.py").assert_outcomes(passed=1)
