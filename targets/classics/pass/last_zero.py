"""The lastzero family of Abdulla et al. (POPL 2014): one thread looks for the last zero while others fill the array.

The first cell is never written, so the search always ends.
"""

import threading


def search(cells: list[int], last: int) -> None:
    """Go down from the last cell to the first zero."""
    index = last
    while cells[index] != 0:
        index -= 1


def fill(cells: list[int], index: int) -> None:
    """Write the left neighbour's number plus one."""
    cells[index] = cells[index - 1] + 1


def look(writers: int) -> None:
    """Start the search and that many writers."""
    cells = [0] * (writers + 1)
    threads = [threading.Thread(target=search, args=(cells, writers))]
    threads += [threading.Thread(target=fill, args=(cells, index)) for index in range(1, writers + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_5() -> None:
    """Five writers: 64 traces."""
    look(5)


def run_10() -> None:
    """Ten writers: 3,328 traces."""
    look(10)


def run_15() -> None:
    """Fifteen writers: 147,456 traces."""
    look(15)
