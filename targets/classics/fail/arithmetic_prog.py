"""SCTBench's `arithmetic_prog`: a correct producer and consumer whose sum is asserted not to be what it always is."""

import threading

ROUNDS = 3


class Series:
    """A count of units with its two conditions, and the sum that the consumer makes."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self.empty = threading.Condition(lock)
        self.full = threading.Condition(lock)
        self.count = 0
        self.total = 0


def produce(series: Series) -> None:
    """Wait for an empty stock and add one, in each round."""
    for _ in range(ROUNDS):
        with series.empty:
            while series.count > 0:
                series.empty.wait()
            series.count += 1
        with series.full:
            series.full.notify()


def consume(series: Series) -> None:
    """Take one off in each round and sum the round numbers up."""
    for number in range(ROUNDS):
        with series.full:
            while series.count == 0:
                series.full.wait()
            series.total += number
            series.count -= 1
        with series.empty:
            series.empty.notify()
    series.total += ROUNDS


def run() -> None:
    """Produce, consume, and deny the sum of 0 to 3."""
    series = Series()
    threads = [threading.Thread(target=step, args=(series,)) for step in (produce, consume)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert series.total != 6
