"""The `twothreads` sample of CHESS: both threads write before and after a critical section; nothing is asserted."""

import threading


class Value:
    """A number, and a lock that does not guard it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.number = 0


def write(value: Value, number: int) -> None:
    """Write, pass through the lock and write again."""
    value.number = number
    with value.lock:
        pass
    value.number = number


def run() -> None:
    """Write from two threads."""
    value = Value()
    threads = [threading.Thread(target=write, args=(value, number)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
