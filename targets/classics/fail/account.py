"""SCTBench's `account`: the checker expects the wrong balance.

There is no data race; the assertion fails whenever the checker runs after both the deposit and the withdrawal.
"""

import threading


class Account:
    """A balance with a note of which bookings were made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 1
        self.deposited = False
        self.withdrawn = False


def check(account: Account) -> None:
    """Compare the balance with a sum in which the deposit has the wrong sign."""
    with account.lock:
        if account.deposited and account.withdrawn:
            assert account.balance == (1 - 2) - 4


def deposit(account: Account) -> None:
    """Book two units in."""
    with account.lock:
        account.balance += 2
        account.deposited = True


def withdraw(account: Account) -> None:
    """Book four units out."""
    with account.lock:
        account.balance -= 4
        account.withdrawn = True


def run() -> None:
    """Check, deposit and withdraw at the same time."""
    account = Account()
    threads = [threading.Thread(target=step, args=(account,)) for step in (check, deposit, withdraw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
