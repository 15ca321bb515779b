"""The race is in threads that a thread starts."""

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


def run(add) -> None:
    def worker() -> None:
        children = [threading.Thread(target=add) for _ in range(2)]
        for child in children:
            child.start()
        for child in children:
            child.join()

    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()


def broken() -> None:
    counter = Counter()
    run(counter.add)
    assert counter.value == 2


def repaired() -> None:
    counter = Counter()
    run(counter.add_locked)
    assert counter.value == 2
