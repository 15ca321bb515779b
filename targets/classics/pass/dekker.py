"""The `Dekker` sample of CHESS: mutual exclusion by two flags and a turn, with a yield in each loop that waits.

It is correct where every write is seen at once, as it is here.
"""

import threading
import time


class Gate:
    """Who wants to go in, whose turn it is to insist, and how many are inside."""

    def __init__(self) -> None:
        self.wants = [False, False]
        self.turn = 0
        self.inside = 0


def go_through(gate: Gate, me: int) -> None:
    """Go in alone and out again."""
    other = 1 - me
    gate.wants[me] = True
    while gate.wants[other]:
        if gate.turn == me:
            time.sleep(0)
            continue
        gate.wants[me] = False
        while gate.turn != me:
            time.sleep(0)
        gate.wants[me] = True
    gate.inside += 1
    assert gate.inside == 1
    gate.inside -= 1
    gate.turn = other
    gate.wants[me] = False


def run() -> None:
    """Send two threads through the gate."""
    gate = Gate()
    threads = [threading.Thread(target=go_through, args=(gate, number)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
