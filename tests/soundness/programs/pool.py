"""The race is in a thread pool."""

import threading
from concurrent.futures import ThreadPoolExecutor


class Counter:
    def __init__(self) -> None:
        self.value = 0
        self.lock = threading.Lock()

    def add(self) -> None:
        self.value += 1

    def add_locked(self) -> None:
        with self.lock:
            self.value += 1


def broken() -> None:
    counter = Counter()
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(counter.add) for _ in range(2)]
    assert [future.result() for future in futures] == [None, None]
    assert counter.value == 2


def repaired() -> None:
    counter = Counter()
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(counter.add_locked) for _ in range(2)]
    assert [future.result() for future in futures] == [None, None]
    assert counter.value == 2
