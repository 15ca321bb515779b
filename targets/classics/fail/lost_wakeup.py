"""The lost wake-up: the waiter tests the flag before it takes the lock, so the only signal may come in between."""

import threading


class Signal:
    """A flag and the condition that tells of it."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.Lock())
        self.is_ready = False


def wait(signal: Signal) -> None:
    """Wait if the flag is not set."""
    if not signal.is_ready:
        with signal.changed:
            signal.changed.wait()


def announce(signal: Signal) -> None:
    """Set the flag and wake the waiting thread."""
    signal.is_ready = True
    with signal.changed:
        signal.changed.notify()


def run() -> None:
    """Wait and announce at the same time."""
    signal = Signal()
    threads = [threading.Thread(target=step, args=(signal,)) for step in (wait, announce)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
