"""Small programs whose minimal failing schedules are known.

After SCTBench where the name is one of its; written anew from descriptions.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from semafuzz import TaskProgram

THIS = sys.modules[__name__]


class Counter:
    """Two deposits, each a read and a write, among tasks that only make noise."""

    def __init__(self) -> None:
        self.value = 0
        self.noise = 0

    def add(self) -> None:
        self.value += 1

    def rattle(self) -> None:
        for number in range(4):
            self.noise = number

    def whole(self) -> None:
        assert self.value == 2


class Cache:
    """Check, then act: both find nothing and both make the entry."""

    def __init__(self) -> None:
        self.entries: dict[str, int] = {}
        self.made = 0
        self.lock = threading.Lock()

    def look_up(self) -> None:
        if "key" not in self.entries:
            with self.lock:
                self.made += 1
            self.entries["key"] = 1

    def made_once(self) -> None:
        assert self.made == 1


class Crossed:
    """Two locks, taken in both orders."""

    def __init__(self) -> None:
        self.left = threading.Lock()
        self.right = threading.Lock()

    def one(self) -> None:
        with self.left, self.right:
            pass

    def other(self) -> None:
        with self.right, self.left:
            pass


class Forks:
    """Three philosophers, each taking the fork of its number first."""

    def __init__(self) -> None:
        self.forks = [threading.Lock() for _ in range(3)]

    def eat(self, number: int) -> None:
        with self.forks[number], self.forks[(number + 1) % 3]:
            pass


class Chain:
    """Each task shows a wrong value for a moment, and only while it sees the one before it do so."""

    def __init__(self) -> None:
        self.first = 0
        self.second = 0
        self.third = 0
        self.seen = 0

    def show_first(self) -> None:
        self.first = 1
        self.first = 2

    def show_second(self) -> None:
        if self.first == 1:
            self.second = 1
            self.second = 2

    def show_third(self) -> None:
        if self.second == 1:
            self.third = 1
            self.third = 2

    def see_second(self) -> None:
        assert self.second != 1

    def see_third(self) -> None:
        assert self.third != 1


class PingPong:
    """A value that one task moves on while the other watches each step of it."""

    def __init__(self) -> None:
        self.value = 0

    def move(self) -> None:
        self.value = 1
        self.value = 2
        self.value = 3

    def watch(self) -> None:
        if self.value == 1 and self.value == 2:
            raise ValueError("every step was seen")


class Waiting:
    """Looks whether it has to wait before it takes the lock under which it is woken."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.ready = False

    def wait(self) -> None:
        if not self.ready:
            with self.condition:
                self.condition.wait()

    def wake(self) -> None:
        self.ready = True
        with self.condition:
            self.condition.notify()


class Flags:
    """SCTBench reorder: a setter is stopped between its writes."""

    def __init__(self) -> None:
        self.a = 0
        self.b = 0

    def set(self) -> None:
        self.a = 1
        self.b = -1

    def look(self) -> None:
        assert (self.a == 0 and self.b == 0) or (self.a == 1 and self.b == -1)


class TwoStages:
    """SCTBench twostage: two sections that should be one."""

    def __init__(self) -> None:
        self.first = threading.Lock()
        self.second = threading.Lock()
        self.one = 0
        self.two = 0

    def write(self) -> None:
        with self.first:
            self.one = 1
        with self.second:
            self.two = self.one + 1

    def read(self) -> None:
        with self.first:
            if self.one == 0:
                return
            one = self.one
        with self.second:
            two = self.two
        assert two == one + 1


class WrongLock:
    """SCTBench wronglock: two locks that protect nothing together."""

    def __init__(self) -> None:
        self.data = threading.Lock()
        self.this = threading.Lock()
        self.value = 0

    def by_data(self) -> None:
        with self.data:
            seen = self.value
            self.value += 1
            assert self.value == seen + 1

    def by_this(self) -> None:
        with self.this:
            self.value += 1


class Stages:
    """Made before it is used, but nobody sees to that."""

    def __init__(self) -> None:
        self.ready = False

    def make(self) -> None:
        self.ready = True

    def use(self) -> None:
        assert self.ready


def threads_lose_an_update() -> None:
    """The lost update with real threads, as a user writes it."""
    counter = Counter()
    threads = [threading.Thread(target=counter.add, name=f"adder-{number}") for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counter.whole()


class Noisy:
    """Two windows as in ``PingPong``, among tasks that share much and harm nothing."""

    def __init__(self) -> None:
        self.value = 0
        self.table = [0] * 4
        self.lock = threading.Lock()

    def move(self) -> None:
        self.stir()
        self.value = 1
        self.stir()
        self.value = 2
        self.stir()
        self.value = 3

    def watch(self) -> None:
        self.stir()
        first = self.value
        self.stir()
        if first == 1 and self.value == 2:
            raise ValueError("every step was seen")
        self.stir()

    def stir(self) -> None:
        for place in range(4):
            self.table[place] += 1
        with self.lock:
            self.table[0] = 0


def _eater(number: int) -> Callable[[Forks], None]:
    return lambda forks: forks.eat(number)


def tasks(made: Callable[[], Any], parts: list[Callable[[Any], object]], check: Any = None) -> TaskProgram[Any]:
    """A program of these tasks on a new object."""
    return TaskProgram(made, parts, check, under_test=[THIS])


PROGRAMS: dict[str, Callable[[], Any]] = {
    "lost update": lambda: tasks(Counter, [Counter.rattle, Counter.add, Counter.add, Counter.rattle], Counter.whole),
    "lost update of threads": lambda: threads_lose_an_update,
    "check then act": lambda: tasks(Cache, [Cache.look_up, Cache.look_up], Cache.made_once),
    "crossed locks": lambda: tasks(Crossed, [Crossed.one, Crossed.other]),
    "philosophers": lambda: tasks(Forks, [_eater(number) for number in range(3)]),
    "chain of 3": lambda: tasks(Chain, [Chain.show_first, Chain.show_second, Chain.see_second]),
    "chain of 4": lambda: tasks(Chain, [Chain.show_first, Chain.show_second, Chain.show_third, Chain.see_third]),
    "ping-pong": lambda: tasks(PingPong, [PingPong.move, PingPong.watch]),
    "lost wake-up": lambda: tasks(Waiting, [Waiting.wait, Waiting.wake]),
    "reorder_3": lambda: tasks(Flags, [Flags.set, Flags.set, Flags.look]),
    "reorder_4": lambda: tasks(Flags, [Flags.set, Flags.set, Flags.set, Flags.look]),
    "twostage": lambda: tasks(TwoStages, [TwoStages.write, TwoStages.read]),
    "wronglock": lambda: tasks(WrongLock, [WrongLock.by_this, WrongLock.by_data, WrongLock.by_this]),
    "order": lambda: tasks(Stages, [Stages.make, Stages.use]),
    "noisy ping-pong": lambda: tasks(Noisy, [Noisy.stir, Noisy.move, Noisy.watch, Noisy.stir]),
}
