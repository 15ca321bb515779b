"""The indexer family of Flanagan and Godefroid (POPL 2005): threads put messages into a hash table with 128 slots.

A slot is claimed by one atomic operation, here an attempt at the slot's lock; up to eleven threads never collide.
"""

import threading

SLOTS = 128
MESSAGES = 4


def insert(slots: list[threading.Lock], task: int) -> None:
    """Claim a slot for each message of the task, going on to the next one where a slot is taken."""
    for number in range(1, MESSAGES + 1):
        message = number * 11 + task
        index = message * 7 % SLOTS
        while not slots[index].acquire(blocking=False):
            index = (index + 1) % SLOTS


def fill(tasks: int) -> None:
    """Start that many tasks on an empty table and count what they claimed."""
    slots = [threading.Lock() for _ in range(SLOTS)]
    threads = [threading.Thread(target=insert, args=(slots, task)) for task in range(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(slot.locked() for slot in slots) == tasks * MESSAGES


def run_12() -> None:
    """Twelve tasks: 8 traces."""
    fill(12)


def run_15() -> None:
    """Fifteen tasks: 4,096 traces."""
    fill(15)
