"""Two threads each add to a count in three critical sections of one lock: 20 traces, the merges of three and three."""

import threading


class Counter:
    """A count under a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0


def add(counter: Counter) -> None:
    """Add one, three times."""
    for _ in range(3):
        with counter.lock:
            counter.count += 1


def run() -> None:
    """Add from two threads."""
    counter = Counter()
    threads = [threading.Thread(target=add, args=(counter,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.count == 6
