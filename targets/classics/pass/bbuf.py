"""SCTBench's `bbuf` (inspect family): a bounded buffer with one condition for producers and one for consumers.

Each wait is a loop, and each signal goes to a thread that can use it.
"""

import threading

CAPACITY = 1


class BoundedBuffer:
    """A list of limited length and its two conditions on one lock."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self.has_room = threading.Condition(lock)
        self.has_items = threading.Condition(lock)
        self.items: list[int] = []

    def put(self, item: int) -> None:
        """Wait for room and add an item."""
        with self.has_room:
            while len(self.items) == CAPACITY:
                self.has_room.wait()
            self.items.append(item)
            self.has_items.notify()

    def get(self) -> int:
        """Wait for an item and take it."""
        with self.has_items:
            while not self.items:
                self.has_items.wait()
            item = self.items.pop(0)
            self.has_room.notify()
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
    assert not buffer.items
