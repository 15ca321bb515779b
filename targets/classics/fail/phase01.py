"""SCTBench's `phase01`: a lock is taken for a second phase and never given back.

The thread that comes second to its second phase blocks for ever in every schedule, without a cycle of locks.
"""

import threading


class Phases:
    """One lock for each phase."""

    def __init__(self) -> None:
        self.x = threading.Lock()
        self.y = threading.Lock()


def go_through(phases: Phases) -> None:
    """Take the first lock and keep it, then use the other one twice."""
    with phases.x:
        pass
    phases.x.acquire()
    for _ in range(2):
        with phases.y:
            pass


def run() -> None:
    """Send two threads through the phases."""
    phases = Phases()
    threads = [threading.Thread(target=go_through, args=(phases,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
