"""The `ConditionVariable` sample of CHESS: the consumer tests the flag in a loop, under the producer's lock."""

import threading


class Flag:
    """A flag and the condition that tells of it."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.is_set = False


def consume(flag: Flag) -> None:
    """Wait until the flag is set."""
    with flag.changed:
        while not flag.is_set:
            flag.changed.wait()
        assert flag.is_set


def produce(flag: Flag) -> None:
    """Set the flag and wake all."""
    with flag.changed:
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
