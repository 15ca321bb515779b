"""SCTBench's `twostage` family: two attributes that belong together are written under two different locks.

A reader that comes between a writer's two critical sections sees only the first write; once one writer has finished,
the window of all others is hidden.
"""

import threading


class Stages:
    """The values of the first and the second stage, each with a lock."""

    def __init__(self) -> None:
        self.first_lock = threading.Lock()
        self.second_lock = threading.Lock()
        self.first = 0
        self.second = 0


def write(stages: Stages) -> None:
    """Set the first stage, then derive the second from it."""
    with stages.first_lock:
        stages.first = 1
    with stages.second_lock:
        stages.second = stages.first + 1


def read(stages: Stages) -> None:
    """Expect the second stage to be done if the first one is."""
    with stages.first_lock:
        if stages.first == 0:
            return
        first = stages.first
    with stages.second_lock:
        second = stages.second
    assert second == first + 1


def race(writers: int, readers: int) -> None:
    """Start that many writers, then that many readers."""
    stages = Stages()
    threads = [threading.Thread(target=write, args=(stages,)) for _ in range(writers)]
    threads += [threading.Thread(target=read, args=(stages,)) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run() -> None:
    """One writer, one reader."""
    race(1, 1)


def run_20() -> None:
    """Ten writers, ten readers."""
    race(10, 10)


def run_50() -> None:
    """Forty writers, ten readers."""
    race(40, 10)


def run_100() -> None:
    """Ninety-nine writers, one reader."""
    race(99, 1)
