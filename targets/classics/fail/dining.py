"""The dining philosophers (Dijkstra): each takes the left fork first, so each may hold one and wait for the next."""

import threading


def dine(left: threading.Lock, right: threading.Lock) -> None:
    """Eat with both forks."""
    with left, right:
        pass


def seat(philosophers: int) -> None:
    """Let that many philosophers dine once."""
    forks = [threading.Lock() for _ in range(philosophers)]
    threads = [
        threading.Thread(target=dine, args=(forks[number], forks[(number + 1) % philosophers]))
        for number in range(philosophers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_3() -> None:
    """Three philosophers."""
    seat(3)
