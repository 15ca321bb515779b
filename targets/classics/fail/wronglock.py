"""SCTBench's `wronglock` family: one value is guarded by two different locks, so by none.

The checker fails when another thread's write lands between its read and its check.
"""

import threading


class Value:
    """A number and the two locks that are thought to guard it."""

    def __init__(self) -> None:
        self.data_lock = threading.Lock()
        self.this_lock = threading.Lock()
        self.number = 0


def increase_and_check(value: Value) -> None:
    """Add one under the one lock and expect that nobody else did."""
    with value.data_lock:
        before = value.number
        value.number += 1
        assert value.number == before + 1


def increase(value: Value) -> None:
    """Add one under the other lock."""
    with value.this_lock:
        value.number += 1


def race(others: int) -> None:
    """Start the checking thread, then that many others."""
    value = Value()
    threads = [threading.Thread(target=increase_and_check, args=(value,))]
    threads += [threading.Thread(target=increase, args=(value,)) for _ in range(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_1() -> None:
    """One other thread."""
    race(1)


def run_3() -> None:
    """Three other threads."""
    race(3)


def run_7() -> None:
    """Seven other threads."""
    race(7)
