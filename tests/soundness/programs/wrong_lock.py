"""Two threads guard one counter by two locks (SCTBench's wronglock in small)."""

import threading


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def add(self, lock) -> None:
        with lock:
            before = self.value
            self.value = before + 1
            assert self.value == before + 1


def run(first, second) -> None:
    counter = Counter()
    threads = [threading.Thread(target=counter.add, args=(lock,)) for lock in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.value == 2


def broken() -> None:
    run(threading.Lock(), threading.Lock())


def repaired() -> None:
    lock = threading.Lock()
    run(lock, lock)
