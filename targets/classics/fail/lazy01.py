"""SCTBench's `lazy01`: three threads under one lock, and the check only holds if it does not come last."""

import threading


class Total:
    """A sum under a lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value = 0


def add(total: Total, amount: int) -> None:
    """Add the amount."""
    with total.lock:
        total.value += amount


def check(total: Total) -> None:
    """Expect that not everything was added yet."""
    with total.lock:
        assert total.value < 3


def run() -> None:
    """Add one, add two and check, at the same time."""
    total = Total()
    threads = [
        threading.Thread(target=add, args=(total, 1)),
        threading.Thread(target=add, args=(total, 2)),
        threading.Thread(target=check, args=(total,)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
