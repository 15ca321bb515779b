"""SCTBench's `reorder` corrected: both writes, and both reads, are made under one lock."""

import threading


class Pair:
    """Two values that change together."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.a = 0
        self.b = 0


def set_both(pair: Pair) -> None:
    """Write both."""
    with pair.lock:
        pair.a = 1
        pair.b = -1


def check(pair: Pair) -> None:
    """Expect both old or both new."""
    with pair.lock:
        assert (pair.a == 0 and pair.b == 0) or (pair.a == 1 and pair.b == -1)


def run() -> None:
    """Two setters, two checkers."""
    pair = Pair()
    threads = [threading.Thread(target=step, args=(pair,)) for step in (set_both, set_both, check, check)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
