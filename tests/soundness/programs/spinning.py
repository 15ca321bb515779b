"""Loops that wait for another thread without blocking."""

import threading
import time


class Signal:
    def __init__(self) -> None:
        self.flag = False

    def set(self) -> None:
        self.flag = True

    def spin(self) -> None:
        while not self.flag:
            pass

    def spin_and_sleep(self) -> None:
        while not self.flag:
            time.sleep(0.01)

    def spin_until(self) -> None:
        end = time.monotonic() + 5
        while not self.flag and time.monotonic() < end:
            pass

    def sleep_until(self) -> None:
        end = time.monotonic() + 5
        while not self.flag:
            if time.monotonic() > end:
                return
            time.sleep(0.5)


def run(*bodies) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def spins_for_ever() -> None:
    run(Signal().spin)


def two_spin_for_ever() -> None:
    signal = Signal()
    run(signal.spin, signal.spin)


def sleeps_for_ever() -> None:
    run(Signal().spin_and_sleep)


def spins() -> None:
    signal = Signal()
    run(signal.spin, signal.set)


def spins_and_sleeps() -> None:
    signal = Signal()
    run(signal.spin_and_sleep, signal.set)


def spins_until_a_deadline() -> None:
    run(Signal().spin_until)


def spins_until_a_deadline_or_signal() -> None:
    signal = Signal()
    run(signal.spin_until, signal.set)


def sleeps_until_a_deadline() -> None:
    run(Signal().sleep_until)
