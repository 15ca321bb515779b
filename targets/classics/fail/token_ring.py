"""SCTBench's `token_ring`: three threads pass a number on, the same everywhere only if they run in ring order.

Every access is under the lock; the checker fails when it comes last and the three ran in another order.
"""

import threading


class Ring:
    """Three stations and who of them has had the token."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.x1 = 1
        self.x2 = 2
        self.x3 = 1
        self.done1 = False
        self.done2 = False
        self.done3 = False


def start_token(ring: Ring) -> None:
    """Take the third station's number on by one."""
    with ring.lock:
        ring.x1 = (ring.x3 + 1) % 4
        ring.done1 = True


def pass_to_second(ring: Ring) -> None:
    """Copy the first station's number."""
    with ring.lock:
        ring.x2 = ring.x1
        ring.done2 = True


def pass_to_third(ring: Ring) -> None:
    """Copy the second station's number."""
    with ring.lock:
        ring.x3 = ring.x2
        ring.done3 = True


def check(ring: Ring) -> None:
    """Expect one number in all stations when all have had the token."""
    with ring.lock:
        if ring.done1 and ring.done2 and ring.done3:
            assert ring.x1 == ring.x2 == ring.x3


def run() -> None:
    """Pass the token and check at the same time."""
    ring = Ring()
    steps = (start_token, pass_to_second, pass_to_third, check)
    threads = [threading.Thread(target=step, args=(ring,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
