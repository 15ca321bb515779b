"""SCTBench's `twostage` corrected: one lock is held over both stages, by the writer and by the reader."""

import threading


class Stages:
    """The values of the first and the second stage under one lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.first = 0
        self.second = 0


def write(stages: Stages) -> None:
    """Set the first stage and derive the second from it."""
    with stages.lock:
        stages.first = 1
        stages.second = stages.first + 1


def read(stages: Stages) -> None:
    """Expect the second stage to be done if the first one is."""
    with stages.lock:
        if stages.first == 0:
            return
        assert stages.second == stages.first + 1


def run() -> None:
    """Two writers, two readers."""
    stages = Stages()
    threads = [threading.Thread(target=step, args=(stages,)) for step in (write, write, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
