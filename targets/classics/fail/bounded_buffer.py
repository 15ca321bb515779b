"""The bounded buffer of PERIOD's variant of SCTBench: producers and consumers wait on one condition and wake only one.

A consumer may wake another consumer instead of the producer that could go on; then all of them wait for ever.
"""

import threading

CAPACITY = 1


class BoundedBuffer:
    """A list of limited length with one condition for all who wait."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.items: list[int] = []

    def put(self, item: int) -> None:
        """Wait for room and add an item."""
        with self.changed:
            while len(self.items) == CAPACITY:
                self.changed.wait()
            self.items.append(item)
            self.changed.notify()

    def get(self) -> int:
        """Wait for an item and take it."""
        with self.changed:
            while not self.items:
                self.changed.wait()
            item = self.items.pop(0)
            self.changed.notify()
            return item


def produce(buffer: BoundedBuffer) -> None:
    """Put one item in."""
    buffer.put(1)


def consume(buffer: BoundedBuffer) -> None:
    """Take one item out."""
    buffer.get()


def run() -> None:
    """Two producers and two consumers share the buffer."""
    buffer = BoundedBuffer()
    threads = [threading.Thread(target=step, args=(buffer,)) for step in (produce, produce, consume, consume)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
