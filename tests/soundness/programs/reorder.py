"""SCTBench's reorder: a setter is stopped between its two writes."""

import threading


class Pair:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.a = 0
        self.b = 0

    def set(self) -> None:
        self.a = 1
        self.b = -1

    def check(self) -> None:
        assert (self.a == 0 and self.b == 0) or (self.a == 1 and self.b == -1)

    def set_locked(self) -> None:
        with self.lock:
            self.set()

    def check_locked(self) -> None:
        with self.lock:
            self.check()


def run(setter, checker, setters: int) -> None:
    threads = [threading.Thread(target=setter) for _ in range(setters)] + [threading.Thread(target=checker)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def reorder_3() -> None:
    pair = Pair()
    run(pair.set, pair.check, 2)


def reorder_4() -> None:
    pair = Pair()
    run(pair.set, pair.check, 3)


def reorder_5() -> None:
    pair = Pair()
    run(pair.set, pair.check, 4)


def repaired() -> None:
    pair = Pair()
    run(pair.set_locked, pair.check_locked, 4)
