"""The `ConditionVariable3` sample of CHESS: the consumer waits while it holds a re-entrant lock twice.

The wait gives back both holds, so the producer can come in.
"""

import threading


class Flag:
    """A flag and the condition that tells of it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.is_set = False


def consume(flag: Flag) -> None:
    """Wait until the flag is set, two holds deep."""
    with flag.lock, flag.lock:
        while not flag.is_set:
            flag.changed.wait()
        assert flag.is_set


def produce(flag: Flag) -> None:
    """Set the flag and wake all."""
    with flag.lock:
        flag.is_set = True
        flag.changed.notify_all()


def run() -> None:
    """Consume and produce at the same time."""
    flag = Flag()
    threads = [threading.Thread(target=step, args=(flag,)) for step in (consume, produce)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
