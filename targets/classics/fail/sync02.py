"""SCTBench's `sync02`: with two units at the start the producer's last wait is never satisfied, in any schedule."""

import threading

ROUNDS = 2


class Stock:
    """A count with a condition for each of its two states."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self.empty = threading.Condition(lock)
        self.full = threading.Condition(lock)
        self.count = 2


def produce(stock: Stock) -> None:
    """Wait for an empty stock and add one, in each round."""
    for _ in range(ROUNDS):
        with stock.empty:
            while stock.count > 0:
                stock.empty.wait()
            stock.count += 1
        with stock.full:
            stock.full.notify()


def consume(stock: Stock) -> None:
    """Wait for a stock and take one off, in each round."""
    for _ in range(ROUNDS):
        with stock.full:
            while stock.count == 0:
                stock.full.wait()
            stock.count -= 1
        with stock.empty:
            stock.empty.notify()


def run() -> None:
    """Produce and consume at the same time."""
    stock = Stock()
    threads = [threading.Thread(target=step, args=(stock,)) for step in (produce, consume)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
