"""The counter of three threads, each adding one as a read and a write, with a lock around both."""

import threading


class Counter:
    """A count under a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0


def add(counter: Counter) -> None:
    """Add one."""
    with counter.lock:
        counter.count += 1


def run() -> None:
    """Add from three threads."""
    counter = Counter()
    threads = [threading.Thread(target=add, args=(counter,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.count == 3
