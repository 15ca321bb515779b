"""The readers family of the DPOR literature (Flanagan and Godefroid, POPL 2005; Abdulla et al., POPL 2014).

One thread writes and N threads read once each; nothing is asserted. Each reader comes before or after the write, which
makes 2 to the power N traces.
"""

import threading


class Variable:
    """The one shared value."""

    def __init__(self) -> None:
        self.x = 0


def write(variable: Variable) -> None:
    """Write once."""
    variable.x = 1


def read(variable: Variable) -> None:
    """Read once."""
    _ = variable.x


def share(readers: int) -> None:
    """Start the writer and that many readers."""
    variable = Variable()
    threads = [threading.Thread(target=write, args=(variable,))]
    threads += [threading.Thread(target=read, args=(variable,)) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_3() -> None:
    """Three readers: 8 traces."""
    share(3)


def run_8() -> None:
    """Eight readers: 256 traces."""
    share(8)


def run_13() -> None:
    """Thirteen readers: 8,192 traces."""
    share(13)
