"""A checked file with a lost update, for tests that need any."""

from __future__ import annotations

BANK = """
import threading


class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self):
        self.balance += 1


def two():
    account = Account()
    threads = [threading.Thread(target=account.deposit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance == 2
"""
