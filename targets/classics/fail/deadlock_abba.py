"""After the `deadlock` sample of CHESS: main takes two locks in one order while a thread takes them in the other."""

import threading


class Locks:
    """Two locks without an agreed order."""

    def __init__(self) -> None:
        self.a = threading.Lock()
        self.b = threading.Lock()


def take_a_then_b(locks: Locks) -> None:
    """Hold both locks, the first one first."""
    with locks.a, locks.b:
        pass


def run() -> None:
    """Take the locks from the other end while a thread takes them too."""
    locks = Locks()
    thread = threading.Thread(target=take_a_then_b, args=(locks,))
    thread.start()
    with locks.b, locks.a:
        pass
    thread.join()
