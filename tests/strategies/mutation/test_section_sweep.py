"""What a lost lock lets happen: in the method without it, in sections of others, and in tasks that others start."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from semafuzz import TaskProgram
from semafuzz.harness.instrument.method_calls import visible_calls
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.strategies.mutation.section_sweep import SectionSweep

THIS = sys.modules[__name__]


class Account:
    """``deposit`` has lost its lock, ``keep`` never needed one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 0
        self.kept = 0

    def deposit(self) -> None:
        balance = self.balance
        self.balance = balance + 1

    def guarded(self) -> None:
        with self.lock:
            first = self.balance
            self.balance = first + 1

    def picture(self) -> None:
        """Two reads that belong together."""
        with self.lock:
            first = self.balance
            assert self.balance == first

    def keep(self) -> None:
        self.kept = 1


def failing(method: str, *tasks: Callable[[Account], None]) -> tuple[int, int]:
    """How many schedules were tried, and how many of them failed."""
    total = sum(task in (deposits, deposits_elsewhere, Account.guarded) for task in tasks)

    def check(account: Account) -> None:
        assert account.balance == total

    program = TaskProgram(Account, tasks, check, under_test=[THIS])
    sweep, failed, tried = SectionSweep(method), 0, 0
    with visible_calls(Account), controlled_session([THIS]) as laboratory:
        setting = ExecutionConfig(bytearray(1 << 16))
        for first in range(len(tasks)):
            order = (first, *(other for other in range(len(tasks)) if other != first))
            for _ in range(2):
                outcome = execute(program, SerialOrder(order), setting)
                laboratory.control.between_executions()
                setting.learn(outcome)
            assert not outcome.failures
            sweep.learn(first, outcome)
        while sweep.begin(tried):
            outcome = execute(program, sweep, setting)
            laboratory.control.between_executions()
            tried += 1
            failed += bool(outcome.failures)
    return tried, failed


def deposits(account: Account) -> None:
    account.deposit()


def deposits_elsewhere(account: Account) -> None:
    """In a task of its own, as what a message to another service does."""
    thread = threading.Thread(target=account.deposit)
    thread.start()
    thread.join()


def looks(account: Account) -> None:
    account.picture()


@pytest.mark.parametrize("one", [deposits, deposits_elsewhere])
@pytest.mark.parametrize("other", [Account.guarded, looks])
def test_the_method_and_a_section_are_left_in_the_midst_of_each_other(
    one: Callable[[Account], None], other: Callable[[Account], None]
) -> None:
    for tasks in ((one, other), (other, one)):
        tried, failed = failing("Account.deposit", *tasks)
        assert 0 < failed <= tried <= 12, tasks


def test_where_nothing_meets_there_is_nothing_to_try() -> None:
    assert failing("Account.keep", Account.keep, Account.guarded) == (0, 0)


def test_two_without_a_section_are_not_what_the_lock_kept_apart() -> None:
    assert failing("Account.deposit", deposits, deposits)[0] == 0
