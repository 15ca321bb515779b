"""Counters that several threads add to."""

import threading


class Counter:
    def __init__(self) -> None:
        self.value = 0
        self.lock = threading.Lock()

    def add(self) -> None:
        self.value += 1

    def add_locked(self) -> None:
        with self.lock:
            self.value += 1


def run(counter, add, number: int) -> None:
    threads = [threading.Thread(target=add) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.value == number


def two_unlocked() -> None:
    counter = Counter()
    run(counter, counter.add, 2)


def eight_unlocked() -> None:
    counter = Counter()
    run(counter, counter.add, 8)


def two_locked() -> None:
    counter = Counter()
    run(counter, counter.add_locked, 2)


def eight_locked() -> None:
    counter = Counter()
    run(counter, counter.add_locked, 8)
