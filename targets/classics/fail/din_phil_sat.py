"""SCTBench's `din_phil_sat` family: whoever sees that all philosophers have eaten fails, so every schedule without a
lost update fails.

The forks are taken under one lock and cannot deadlock; the count of those who have eaten is not guarded.
"""

import threading


class Table:
    """The forks, the lock for taking them, and how many have eaten."""

    def __init__(self, seats: int) -> None:
        self.lock = threading.Lock()
        self.forks = [threading.Lock() for _ in range(seats)]
        self.fed = 0


def dine(table: Table, number: int) -> None:
    """Eat, count it, and fail if all have eaten."""
    seats = len(table.forks)
    with table.lock, table.forks[(number + 1) % seats], table.forks[number]:
        pass
    table.fed += 1
    assert table.fed != seats


def seat(philosophers: int) -> None:
    """Let that many philosophers dine once."""
    table = Table(philosophers)
    threads = [threading.Thread(target=dine, args=(table, number)) for number in range(philosophers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_2() -> None:
    """Two philosophers."""
    seat(2)


def run_3() -> None:
    """Three philosophers."""
    seat(3)
