"""What a night on many workers takes: a model of searches, failures and merges, beside nights that were run.

    .venv/bin/python benchmarks/night_simulation.py
    .venv/bin/python benchmarks/night_simulation.py --real 1,2,3

A worker takes the next search when it has ended one. A search takes its seconds and its start; a worker that dies loses
the search that it runs, which is begun again, and comes back after a while. The client takes answers one after another.
``--real`` runs such a night of the reference target on so many worker processes of a cluster on this machine; searches
end by the clock, so that a machine with few cores makes little difference.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic


@dataclass(frozen=True)
class Night:
    """Seconds, but for counts. ``start``: of a search, until it searches, and after it until its answer is there;
    ``answer``: the client's time for one; ``begin``: of the night, until the first search can go out, ``end``: merge
    and summary; ``deaths``: of a worker in an hour; ``back``: until a dead one is there again."""

    searches: int
    seconds: float
    start: float
    answer: float
    begin: float
    end: float
    deaths: float = 0.0
    back: float = 30.0


@dataclass(frozen=True)
class Told:
    """Of one simulated night: its seconds, the part of the workers' time that was searched for the first time, and
    how many searches were begun again."""

    seconds: float
    used: float
    again: int


def simulate(night: Night, workers: int, seed: int = 0) -> Told:
    """One night."""
    draw = random.Random(seed)
    free = [(night.begin, number) for number in range(workers)]
    heapq.heapify(free)
    left, again, client, ended = night.searches, 0, 0.0, 0
    while ended < night.searches:
        now, worker = heapq.heappop(free)
        if not left:
            continue
        left -= 1
        takes = night.start + night.seconds
        dies = draw.expovariate(night.deaths / 3600) if night.deaths else float("inf")
        if dies < takes:
            left, again = left + 1, again + 1
            heapq.heappush(free, (now + dies + night.back, worker))
            continue
        client = max(client, now + takes) + night.answer
        ended += 1
        heapq.heappush(free, (now + takes, worker))
    whole = client + night.end
    return Told(whole, night.searches * night.seconds / (workers * whole), again)


def run_one(workers: int, night: Night) -> float:
    """The seconds of a real night on so many workers."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as name:
        told = ["nightly", "reference", "--set", "defect=missing_lock", "--seed", "7", "--no-pages"]
        told += ["--shards", str(night.searches), "--seconds", str(night.seconds), "--engine", "dask"]
        command = [sys.executable, "-m", "semafuzz", *told, "--jobs", str(workers), "--corpus", str(Path(name, "c"))]
        began = monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr or done.stdout)
        return monotonic() - began


SMALL = Night(searches=12, seconds=5.0, start=4.3, answer=0.15, begin=5.5, end=1.0)
"""That which is run for ``--real``; ``start`` and ``begin`` were read off the nights of one and two workers, on two
cores beside other work (2 s and 5 s where nothing else runs)."""
LARGE = Night(searches=2000, seconds=600.0, start=12.0, answer=0.15, begin=60.0, end=60.0, deaths=0.05)
"""Nova's pairs of operations in every release of a matrix, in parts of ten minutes; start and begin are Nova's."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", default="", help="numbers of workers, separated by commas")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    real = {int(one): run_one(int(one), SMALL) for one in asked.real.split(",") if one}
    small = {count: simulate(SMALL, count) for count in real or (1, 2, 3)}
    large = {count: simulate(LARGE, count) for count in (10, 100, 1000)}
    if asked.json:
        rows = {str(count): told.seconds for count, told in {**small, **large}.items()}
        print(json.dumps({"model": rows, "real": {str(count): value for count, value in real.items()}}))
        return
    print(f"{SMALL.searches} searches of {SMALL.seconds:g} s: workers, model, run")
    for count, told in small.items():
        run = f"{real[count]:6.1f} s" if count in real else ""
        print(f"{count:>6} {told.seconds:6.1f} s {run}")
    searches = f"{LARGE.searches:,} searches of {LARGE.seconds:g} s"
    print(f"{searches}: workers, hours, part of their time that searched, begun again")
    for count, told in large.items():
        print(f"{count:>6} {told.seconds / 3600:6.2f} h {told.used:6.0%} {told.again:>5}")


if __name__ == "__main__":
    main()
