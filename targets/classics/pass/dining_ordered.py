"""The dining philosophers (Dijkstra) with numbered forks: everybody takes the lower one first, so no cycle can form."""

import threading


def dine(lower: threading.Lock, higher: threading.Lock) -> None:
    """Eat with both forks."""
    with lower, higher:
        pass


def seat(philosophers: int) -> None:
    """Let that many philosophers dine once."""
    forks = [threading.Lock() for _ in range(philosophers)]
    threads = []
    for number in range(philosophers):
        lower, higher = sorted((number, (number + 1) % philosophers))
        threads.append(threading.Thread(target=dine, args=(forks[lower], forks[higher])))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_3() -> None:
    """Three philosophers: 6 traces."""
    seat(3)
