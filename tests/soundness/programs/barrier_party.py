"""A barrier that waits for one party more than there are."""

import threading


def run(parties: int) -> None:
    barrier = threading.Barrier(parties)
    threads = [threading.Thread(target=barrier.wait) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def broken() -> None:
    run(3)


def repaired() -> None:
    run(2)
