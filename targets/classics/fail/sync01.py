"""SCTBench's `sync01`: a producer waits for a count to fall that nobody lowers; every schedule ends in its wait."""

import threading


class Stock:
    """A count with a condition for each of its two states."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self.empty = threading.Condition(lock)
        self.full = threading.Condition(lock)
        self.count = 1


def produce(stock: Stock) -> None:
    """Wait for an empty stock and add one."""
    with stock.empty:
        while stock.count > 0:
            stock.empty.wait()
        stock.count += 1
    with stock.full:
        stock.full.notify()


def consume(stock: Stock) -> None:
    """Wait for a stock, take nothing off, and still say that it is empty."""
    with stock.full:
        while stock.count == 0:
            stock.full.wait()
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
