"""One program for each kind of finding; their outputs are the texts beside this file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from semafuzz.targets.declared.api import DeclaredTarget, Guard, LockPolicy, operation

LEFT = threading.Lock()
RIGHT = threading.Lock()


def in_threads(*bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body, daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Account:
    """Not atomic: what two deposits leave is no serial order's."""

    def __init__(self) -> None:
        self.balance = 0

    def deposit(self, amount: int) -> int:
        before = self.balance
        self.balance = before + amount
        return self.balance


class Safe:
    """Each update of it is lost where a lock is missing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.balance = 0

    def deposit(self) -> int:
        with self.lock:
            before = self.balance
            self.balance = before + 1
            return self.balance


class Register:
    """Registers in two steps, between which storing may fail."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.count = 0

    def enter(self, name: str) -> None:
        self.count += 1
        store(name)
        self.names.append(name)

    def entered(self) -> int:
        return self.count


def store(name: str) -> None:
    """What can fail."""


class Flag:
    def __init__(self) -> None:
        self.up = True


def assertion() -> None:
    account = Account()
    in_threads(lambda: account.deposit(1), lambda: account.deposit(2))
    assert account.balance == 3


def exception() -> None:
    names = {"a": 1}

    def look() -> None:
        if "a" in names:
            names["a"]

    in_threads(look, names.clear)


def deadlock() -> None:
    def one() -> None:
        with LEFT, RIGHT:
            pass

    def other() -> None:
        with RIGHT, LEFT:
            pass

    in_threads(one, other)


def livelock() -> None:
    flag = Flag()

    def lower() -> None:
        if flag.up:
            flag.up = False
        else:
            flag.up = True

    def wait() -> None:
        while flag.up:
            pass

    in_threads(lower, lower, wait)


def race() -> None:
    account = Account()
    in_threads(lambda: account.deposit(1), lambda: account.deposit(2))
    assert account.balance in (1, 2, 3)


def lock_order() -> None:
    ready = threading.Event()

    def one() -> None:
        with LEFT, RIGHT:
            pass
        ready.set()

    def other() -> None:
        ready.wait()
        with RIGHT, LEFT:
            pass

    in_threads(one, other)


def left_lock() -> None:
    account = Account()

    def fail() -> None:
        try:
            LEFT.acquire()
            int("no number")
            LEFT.release()
        except ValueError:
            account.deposit(1)

    def enter() -> None:
        account.deposit(2)
        with LEFT:
            pass

    in_threads(fail, enter)


def lock_use() -> None:
    ready = threading.Event()

    def wait() -> None:
        with LEFT:
            ready.wait()

    def enter() -> None:
        ready.set()
        with LEFT:
            pass

    in_threads(wait, enter)


class Shelf:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.books: list[int] = []

    def put(self) -> None:
        with self.lock:
            self.books.append(1)

    def slip_in(self) -> None:
        self.books.append(2)


class Ruled(DeclaredTarget):
    """A target that says which lock guards what."""

    modules = ("one_of_each",)
    policy = LockPolicy(Shelf, "Shelf.lock")

    def start(self, configuration: Any) -> Shelf:
        return Shelf()

    def guards(self, world: Any) -> Iterator[Guard]:
        yield Guard(world.lock, world)

    @operation
    def put(self, world: Any) -> None:
        world.put()

    @operation
    def slip_in(self, world: Any) -> None:
        world.slip_in()
