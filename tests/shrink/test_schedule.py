"""Shrunk schedules have exactly as many preemptions as the defect needs."""

from __future__ import annotations

import sys

import pytest

from semafuzz import TaskProgram, explore

THIS = sys.modules[__name__]


class Account:
    def __init__(self) -> None:
        self.balance = 0
        self.checked = 0

    def deposit(self) -> None:
        self.balance = self.balance + 1

    def noise(self) -> None:
        for number in range(5):
            self.checked = number


class Order:
    def __init__(self) -> None:
        self.ready = False

    def make(self) -> None:
        self.ready = True

    def use(self) -> None:
        assert self.ready


class Twice:
    """Needs two preemptions: one in the midst of the writes, one between the reader's looks."""

    def __init__(self) -> None:
        self.first = 0
        self.second = 0
        self.seen = 0

    def write(self) -> None:
        self.first = 1
        self.second = 1
        self.first = 2

    def read(self) -> None:
        if self.first == 1 and self.second == 0:
            self.seen = 1
        if self.seen and self.first == 1 and self.second == 1:
            raise ValueError("both windows")


def whole(account: Account) -> None:
    assert account.balance == 2


@pytest.mark.parametrize("scheduler", ["random", "pct2", "pct3", "portfolio"])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.wide
def test_a_lost_update_needs_one_preemption(scheduler: str, seed: int) -> None:
    program = TaskProgram(
        Account, [Account.noise, Account.deposit, Account.deposit, Account.noise], whole, under_test=[THIS]
    )
    found = explore(program, scheduler=scheduler, schedules=2000, seed=seed).failures[0]
    assert found.preemptions == 1
    assert found.confirmed


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.wide
def test_an_order_violation_needs_none(seed: int) -> None:
    program = TaskProgram(Order, [Order.make, Order.use], under_test=[THIS])
    assert explore(program, scheduler="random", schedules=500, seed=seed).failures[0].preemptions == 0


def test_two_windows_need_two() -> None:
    program = TaskProgram(Twice, [Twice.write, Twice.read], under_test=[THIS])
    found = explore(program, scheduler="exhaustive", schedules=5000).failures[0]
    assert found.preemptions == 2


@pytest.mark.unmeasured
@pytest.mark.wide
def test_equal_failures_have_equal_signatures() -> None:
    program = TaskProgram(Account, [Account.deposit, Account.deposit], whole, under_test=[THIS])
    signatures = {
        explore(program, scheduler="random", schedules=500, seed=seed).failures[0].signature for seed in range(8)
    }
    assert len(signatures) == 1
