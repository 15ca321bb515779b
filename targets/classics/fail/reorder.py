"""SCTBench's `reorder` family: two attributes belong together and are written one after the other without a lock.

A checker fails if it looks between the two writes of a setter while no other setter has finished, which gets rarer
with every setter more.
"""

import threading


class Pair:
    """Two values that should change together."""

    def __init__(self) -> None:
        self.a = 0
        self.b = 0


def set_both(pair: Pair) -> None:
    """Write the one, then the other."""
    pair.a = 1
    pair.b = -1


def check(pair: Pair) -> None:
    """Expect both old or both new."""
    assert (pair.a == 0 and pair.b == 0) or (pair.a == 1 and pair.b == -1)


def race(setters: int, checkers: int) -> None:
    """Start that many setters, then that many checkers."""
    pair = Pair()
    threads = [threading.Thread(target=set_both, args=(pair,)) for _ in range(setters)]
    threads += [threading.Thread(target=check, args=(pair,)) for _ in range(checkers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_3() -> None:
    """Two setters, one checker."""
    race(2, 1)


def run_4() -> None:
    """Three setters, one checker."""
    race(3, 1)


def run_5() -> None:
    """Four setters, one checker."""
    race(4, 1)


def run_10() -> None:
    """Nine setters, one checker."""
    race(9, 1)


def run_20() -> None:
    """Ten setters, ten checkers."""
    race(10, 10)


def run_50() -> None:
    """Forty setters, ten checkers."""
    race(40, 10)


def run_100() -> None:
    """Ninety-nine setters, one checker."""
    race(99, 1)
