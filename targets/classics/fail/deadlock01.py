"""SCTBench's `deadlock01`: two threads take the same two locks in opposite order and may wait for each other."""

import threading


class Counter:
    """A count that is changed under both of two locks."""

    def __init__(self) -> None:
        self.first_lock = threading.Lock()
        self.second_lock = threading.Lock()
        self.count = 1


def increase(counter: Counter) -> None:
    """Add one, taking the first lock first."""
    with counter.first_lock, counter.second_lock:
        counter.count += 1


def decrease(counter: Counter) -> None:
    """Take one off, taking the second lock first."""
    with counter.second_lock, counter.first_lock:
        counter.count -= 1


def run() -> None:
    """Increase and decrease at the same time."""
    counter = Counter()
    threads = [threading.Thread(target=step, args=(counter,)) for step in (increase, decrease)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
