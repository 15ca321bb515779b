"""Marked tests: what is explored, what passes, what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Session = Callable[..., pytest.RunResult]


def test_a_race_fails_and_the_repaired_test_passes(session: Session, broken: str, repaired: str) -> None:
    failed = session(broken)
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(
        ["*test_bank.py F*", "assertion: AssertionError: assert 1 == 2 (in MainThread)", "places:", "interleaving:"]
    )
    passed = session(repaired)
    passed.assert_outcomes(passed=1)
    assert "interleave findings" not in passed.stdout.str()


def test_a_test_without_the_marker_is_left_alone(session: Session) -> None:
    source = """
def test_plain():
    assert type(threading.Lock()).__module__ == "_thread"

@pytest.mark.interleave(schedules=2)
def test_marked():
    assert type(threading.Lock()).__module__.startswith("semafuzz.harness.")
    together(lambda: None)
"""
    result = session(source, "-W", "ignore")
    result.assert_outcomes(passed=2)
    assert "interleave: 2 schedules" in result.stdout.str()
    result = session("def test_plain(): pass", "-v")
    assert "interleave" not in result.stdout.str()


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ("", ["portfolio"]),
        ("scheduler='random'", ["random"]),
        ("scheduler=['pct3', 'random']", ["pct3", "random"]),
    ],
)
def test_an_item_for_each_scheduler(session: Session, arguments: str, ids: list[str]) -> None:
    source = f"@pytest.mark.interleave({arguments})\ndef test_it(): pass\n"
    result = session(source, "--collect-only", "-q")
    assert [line for line in result.outlines if "::" in line] == [f"test_bank.py::test_it[{one}]" for one in ids]


def test_methods_parameters_and_markers_of_class_and_module(session: Session) -> None:
    source = """
pytestmark = pytest.mark.interleave(schedules=50)

@pytest.mark.interleave(scheduler="random")
class TestAccount:
    @pytest.mark.parametrize("number", [1, 2])
    @pytest.mark.interleave(seed=4)
    def test_it(self, make_account, number):
        account = make_account()
        together(*[account.deposit] * number)
        assert account.balance == number
"""
    result = session(source, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*::TestAccount::test_it[[]1-random] PASSED*",
            "*::TestAccount::test_it[[]2-random] FAILED*",
            "in schedule * (scheduler random, seed 4)*",
        ]
    )


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("scheduler='rndom'", "unknown scheduler 'rndom'; choose one of portfolio"),
        ("scheduler=[]", "is not the name of a scheduler"),
        ("scheduler=['random', 'random']", "a scheduler is named twice"),
        ("schedules=0", "schedules=0 is not a whole number from 1 on"),
        ("schedules=True", "schedules=True is not a whole number"),
        ("seconds=-1", "seconds=-1 is not a number of seconds above 0"),
        ("seed='x'", "seed='x' is not a whole number from 0"),
        ("model='processes'", "model='processes' is not one of threads, gil, eventlet"),
        ("instrument=3", "instrument=3 is not a list of module names"),
        ("keep_going=1", "keep_going=1 is neither True nor False"),
        ("schedule=5", "no argument 'schedule'; it has scheduler, schedules"),
        ("'random'", "takes arguments by name only, not 'random'"),
    ],
)
def test_bad_arguments_name_the_test(session: Session, marker: str, words: str) -> None:
    result = session(f"@pytest.mark.interleave({marker})\ndef test_it(): pass\n")
    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    (line,) = [one for one in result.outlines if one.startswith("test_bank.py::test_it: ")]
    assert words in line


def test_good_arguments_are_taken(session: Session) -> None:
    marker = (
        "scheduler=('pct', 'exhaustive'), schedules=5, seconds=None, seed=0, model='eventlet', instrument='json', "
        "keep_going=True"
    )
    session(f"@pytest.mark.interleave({marker})\ndef test_it(): pass\n").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("async def test_it(): yield", "no async generator"),
        ("@given(st.integers())\ndef test_it(n): pass", "@given do not go together"),
    ],
)
def test_functions_that_are_no_programs_are_refused(session: Session, function: str, words: str) -> None:
    source = f"from hypothesis import given, strategies as st\n@pytest.mark.interleave\n{function}\n"
    result = session(source, "-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    assert words in result.stdout.str()


def test_a_unittest_case_is_refused_where_it_has_the_marker(session: Session) -> None:
    source = """
import unittest

class TestIt(unittest.TestCase):
    @pytest.mark.interleave
    def test_marked(self): pass
    def test_plain(self): pass
"""
    result = session(source)
    result.assert_outcomes(errors=1, passed=1)
    assert "not on those of unittest.TestCase" in result.stdout.str()


def test_the_budget_in_seconds_ends_a_search(session: Session, repaired: str) -> None:
    source = repaired.replace("interleave", "interleave(schedules=10**9, seconds=0.05)").replace(
        "together(", "together(account.deposit_safely, account.deposit_safely, "
    )
    result = session(source.replace("== 2", "== 4"))
    result.assert_outcomes(passed=1)
    assert "1 cut (the budget ended: nothing found, which proves nothing)" in result.stdout.str()


def test_complete_is_told_from_cut(session: Session, repaired: str) -> None:
    result = session(repaired.replace("interleave", "interleave(scheduler='exhaustive', schedules=10000)"))
    result.assert_outcomes(passed=1)
    assert "1 complete (every schedule was covered)" in result.stdout.str()


def test_the_eventlet_model_does_not_interrupt_between_accesses(session: Session, broken: str) -> None:
    session(broken.replace("interleave", "interleave(model='eventlet', schedules=100)")).assert_outcomes(passed=1)
    source = broken.replace("interleave", "interleave(model='eventlet', schedules=100)").replace(
        "together(", "import time\n    account.deposit = lambda: sleeping(account)\n    together("
    )
    sleeping = """
def sleeping(account):
    import time
    seen = account.balance
    time.sleep(1)
    account.balance = seen + 1
"""
    session(sleeping + source).assert_outcomes(failed=1)


def test_going_on_finds_the_second_failure(session: Session) -> None:
    source = """
@pytest.mark.interleave{}
def test_two():
    account = Account()
    together(account.deposit, account.deposit)
    if account.balance == 1:
        raise ValueError("lost")
    order = []
    together(lambda: order.append(1), lambda: order.append(2))
    assert order == [1, 2]
"""
    one = session(source.format("")).stdout.str()
    both = session(source.format("(keep_going=True)")).stdout.str()
    assert ("ValueError: lost" in one) + ("assert [2, 1] == [1, 2]" in one) == 1
    assert ("ValueError: lost" in both) + ("assert [2, 1] == [1, 2]" in both) == 2


def test_code_in_other_modules_is_seen_when_it_is_named(
    session: Session, pytester: pytest.Pytester, broken: str
) -> None:
    text = "class Elsewhere:\n    balance = 0\n    def deposit(self):\n        self.balance = self.balance + 1\n"
    installed = pytester.mkdir("site-packages")
    (installed / "account.py").write_text(text)
    pytester.syspathinsert(installed)
    source = "from account import Elsewhere\n" + broken.replace("Account()", "Elsewhere()")
    unseen = session(source)
    unseen.assert_outcomes(passed=1, warnings=1)
    assert "its threads were not seen to share anything" in unseen.stdout.str()
    session(source.replace("interleave", "interleave(instrument='account')")).assert_outcomes(failed=1)
    session(source, "--interleave-instrument", "account").assert_outcomes(failed=1)
    missing = session(source, "--interleave-instrument", "acount")
    missing.assert_outcomes(failed=1)
    assert "the module 'acount' to be instrumented cannot be imported" in missing.stdout.str()


def test_first_party_code_in_other_modules_is_seen(session: Session, pytester: pytest.Pytester, broken: str) -> None:
    text = "class Elsewhere:\n    balance = 0\n    def deposit(self):\n        self.balance = self.balance + 1\n"
    pytester.makepyfile(account_of_mine=text)
    session("from account_of_mine import Elsewhere\n" + broken.replace("Account()", "Elsewhere()")).assert_outcomes(
        failed=1
    )


def test_a_test_without_threads_is_said_to_prove_nothing(session: Session) -> None:
    result = session("@pytest.mark.interleave\ndef test_it(): pass\n")
    result.assert_outcomes(passed=1, warnings=1)
    assert "it started no thread, so there was nothing to interleave" in result.stdout.str()


def test_locks_that_fixtures_made_exclude(session: Session) -> None:
    source = """
import threading
import pytest


class Pool:
    def __init__(self):
        self.inner = {"lock": [threading.RLock()]}
        self.taken = 0

    def take(self):
        with self.inner["lock"][0]:
            self.taken = self.taken + 1


@pytest.fixture
def pool():
    return Pool()


@pytest.mark.interleave(schedules=2)
def test_before():
    "After this one it is known which objects of the process hold locks."


@pytest.mark.interleave(schedules=200)
def test_two(pool):
    before = pool.taken
    threads = [threading.Thread(target=pool.take) for _ in range(2)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    assert pool.taken == before + 2
"""
    session(source, "-W", "ignore").assert_outcomes(passed=2)
