"""After SCTBench's `circular_buffer`: the sender makes a slot public before it fills it.

Index and slot are both guarded by the lock, but in two critical sections; a receiver between them reads an old value.
"""

import threading

SLOTS = 4
MESSAGES = 3


class CircularBuffer:
    """A ring of slots with the next one to read and the next one to write."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.slots = [0] * SLOTS
        self.first = 0
        self.free = 0


def send(buffer: CircularBuffer) -> None:
    """Put the messages 1, 2 and so on in."""
    for message in range(1, MESSAGES + 1):
        with buffer.lock:
            index = buffer.free
            buffer.free = (index + 1) % SLOTS
        with buffer.lock:
            buffer.slots[index] = message


def receive(buffer: CircularBuffer) -> None:
    """Look a few times for a message; what comes must come in order."""
    expected = 1
    for _ in range(MESSAGES):
        with buffer.lock:
            index = buffer.first
            is_empty = index == buffer.free
        if is_empty:
            continue
        with buffer.lock:
            message = buffer.slots[index]
            buffer.first = (index + 1) % SLOTS
        assert message == expected
        expected += 1


def run() -> None:
    """Send and receive at the same time."""
    buffer = CircularBuffer()
    threads = [threading.Thread(target=step, args=(buffer,)) for step in (send, receive)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
