"""One thread takes a plain lock twice."""

import threading


def run(lock) -> None:
    def twice() -> None:
        with lock, lock:
            pass

    thread = threading.Thread(target=twice)
    thread.start()
    thread.join()


def broken() -> None:
    run(threading.Lock())


def repaired() -> None:
    run(threading.RLock())
