"""SCTBench's account: the check after both others asserts a wrong sum."""

import threading


class Account:
    def __init__(self, expected: int) -> None:
        self.lock = threading.Lock()
        self.balance = 1
        self.deposited = False
        self.withdrawn = False
        self.expected = expected

    def deposit(self) -> None:
        with self.lock:
            self.balance += 2
            self.deposited = True

    def withdraw(self) -> None:
        with self.lock:
            self.balance -= 4
            self.withdrawn = True

    def check(self) -> None:
        with self.lock:
            if self.deposited and self.withdrawn:
                assert self.balance == self.expected


def run(account) -> None:
    threads = [threading.Thread(target=body) for body in (account.check, account.deposit, account.withdraw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def broken() -> None:
    run(Account(-5))


def repaired() -> None:
    run(Account(-1))
