"""One thread fills a box, another uses it, both under one lock: the order is free."""

import threading


class Box:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value: int | None = None
        self.filled = threading.Event()

    def fill(self) -> None:
        with self.lock:
            self.value = 1
        self.filled.set()

    def use(self) -> None:
        with self.lock:
            assert self.value is not None

    def wait_and_use(self) -> None:
        self.filled.wait()
        self.use()


def run(*bodies) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fill_started_first() -> None:
    box = Box()
    run(box.fill, box.use)


def use_started_first() -> None:
    box = Box()
    run(box.use, box.fill)


def repaired() -> None:
    box = Box()
    run(box.wait_and_use, box.fill)
