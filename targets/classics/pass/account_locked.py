"""SCTBench's `account` with the right formula: the checker adds the deposit and takes the withdrawal off."""

import threading


class Account:
    """A balance with a note of which bookings were made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 1
        self.deposited = False
        self.withdrawn = False


def check(account: Account) -> None:
    """Compare the balance with the sum of the bookings."""
    with account.lock:
        if account.deposited and account.withdrawn:
            assert account.balance == (1 + 2) - 4


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
