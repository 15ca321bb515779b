"""A bank account as in the CHESS samples: a withdrawal reads and writes the balance in two critical sections.

A deposit that comes between the two is lost.
"""

import threading


class Account:
    """A balance under a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 10


def deposit(account: Account) -> None:
    """Book one unit in, as one step."""
    with account.lock:
        account.balance += 1


def withdraw(account: Account) -> None:
    """Book two units out, as two steps."""
    with account.lock:
        balance = account.balance
    with account.lock:
        account.balance = balance - 2


def run() -> None:
    """Withdraw while a thread deposits."""
    account = Account()
    thread = threading.Thread(target=deposit, args=(account,))
    thread.start()
    withdraw(account)
    thread.join()
    assert account.balance == 9
