"""What detectors cost beside an execution.

    .venv/bin/python benchmarks/detectors.py

Each program is searched without any detector, with each alone and with all together, turn by turn in the same minutes;
a ratio is the median of processor time over that without. All together at most double an execution, and those that
``check`` runs by itself add less than a quarter each. The searches are as users have them: most detectors look at the
first executions one and all, and at one in ten of the later ones, and what they suspect is tried at the end. The
programs: one that is over at once, and one in which four threads move money under two locks.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time

from semafuzz import explore
from semafuzz.harness.detectors.registry import DETECTORS

ALL = "all"


class Account:
    """Money under a lock."""

    def __init__(self, money: int) -> None:
        self.lock = threading.Lock()
        self.money = money

    def add(self, money: int) -> None:
        """Put some there; a negative sum takes it away."""
        with self.lock:
            self.money += money


def smallest() -> None:
    """Two threads change a counter under its lock."""
    run_all([lambda account=account: account.add(1) for account in [Account(0)] * 2])


def transfers() -> None:
    """Four threads move money between two accounts, three times each."""
    accounts = Account(10), Account(10)

    def move(source: int) -> None:
        for _ in range(3):
            accounts[source].add(-1)
            accounts[1 - source].add(1)

    run_all([lambda source=number % 2: move(source) for number in range(4)])
    assert sum(account.money for account in accounts) == 20


def run_all(works: Sequence[Callable[[], None]]) -> None:
    """Each in a thread of its own."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


PROGRAMS = {"smallest": smallest, "transfers": transfers}


def seconds(program: Callable[[], None], detect: Sequence[str], schedules: int) -> float:
    """Processor time of a search of so many schedules."""
    started = process_time()
    explore(program, scheduler="random", schedules=schedules, stop_on_first=False, detect=detect)
    return process_time() - started


def ratios(program: Callable[[], None], schedules: int, turns: int) -> dict[str, float]:
    """What each detector, and all, multiply the time of a search with."""
    asked: dict[str, Sequence[str]] = {name: (name,) for name in DETECTORS} | {ALL: tuple(DETECTORS)}
    seconds(program, (), schedules)
    found: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(turns):
        plain = seconds(program, (), schedules)
        for name, detect in asked.items():
            found[name].append(seconds(program, detect, schedules) / plain)
    return {name: round(median(some), 3) for name, some in found.items()}


def main() -> None:
    """Measure the programs and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=2000, help="executions of one search")
    parser.add_argument("--turns", type=int, default=5, help="searches of each kind; medians are over them")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    figures = {name: ratios(program, arguments.schedules, arguments.turns) for name, program in PROGRAMS.items()}
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, found in figures.items():
        told = ", ".join(f"{detector} {ratio}" for detector, ratio in found.items())
        print(f"{name}: times the search without detectors: {told}")


if __name__ == "__main__":
    main()
