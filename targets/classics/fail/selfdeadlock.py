"""The `selfdeadlock` sample of CHESS: a thread takes a plain lock that it holds already; every schedule blocks."""

import threading


def lock_twice(lock: threading.Lock) -> None:
    """Take the same lock inside itself."""
    with lock, lock:
        pass


def run() -> None:
    """Run the one thread that blocks itself."""
    thread = threading.Thread(target=lock_twice, args=(threading.Lock(),))
    thread.start()
    thread.join()
