"""Two threads each write one attribute four times and assert nothing: 70 traces, the merges of four and four."""

import threading


class Variable:
    """The one shared value."""

    def __init__(self) -> None:
        self.x = 0


def write(variable: Variable, value: int) -> None:
    """Write the value four times."""
    variable.x = value
    variable.x = value
    variable.x = value
    variable.x = value


def run() -> None:
    """Write from two threads."""
    variable = Variable()
    threads = [threading.Thread(target=write, args=(variable, value)) for value in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
