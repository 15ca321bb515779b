"""A lock that one path never gives back."""

import threading


def run(take) -> None:
    lock = threading.Lock()
    threads = [threading.Thread(target=take, args=(lock,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def take_and_keep(lock) -> None:
    lock.acquire()


def take_and_release(lock) -> None:
    lock.acquire()
    lock.release()


def broken() -> None:
    run(take_and_keep)


def repaired() -> None:
    run(take_and_release)
