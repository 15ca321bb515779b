"""Whether memory grows with the number of executions.

    .venv/bin/python benchmarks/memory.py

Explores the racy counter in slices, each an exploration of its own with another seed, and
reads the resident memory of the process after each. About half of the executions fail, so
the path of a failure is measured too. The slope is that of a straight line through the
points after the first slice, which fills caches once. Needs /proc (Linux).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
from pathlib import Path
from statistics import linear_regression

import racy_counter
from racy_counter import Counter, nothing_lost

from semafuzz import TaskProgram, explore


def resident_bytes() -> int:
    """The memory of this process that is in RAM."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def explore_slice(executions: int, seed: int) -> None:
    """One exploration, dropped at once."""
    program = TaskProgram(
        Counter, [Counter.increment] * 2, check=nothing_lost, name="racy counter", under_test=[racy_counter]
    )
    result = explore(program, scheduler="random", schedules=executions, seed=seed, stop_on_first=False)
    if result.schedules != executions or result.verdict != "found":
        raise SystemExit(f"not a measurement: {result.schedules} executions, verdict {result.verdict}, {result.notes}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=100_000, help="in all (default %(default)s)")
    parser.add_argument("--slice", type=int, default=10_000, help="executions of one slice (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    chosen = parser.parse_args()
    slices = chosen.executions // chosen.slice
    if slices < 3:
        parser.error("at least three slices are needed for a slope")

    points = [(0, resident_bytes())]
    for number in range(slices):
        explore_slice(chosen.slice, number)
        gc.collect()
        points.append(((number + 1) * chosen.slice, resident_bytes()))
        if not chosen.json:
            print(f"{points[-1][0]:>9,} executions  {points[-1][1] / 2**20:8.2f} MiB", flush=True)
    slope = linear_regression(*zip(*points[1:], strict=True)).slope
    growth = points[-1][1] - points[0][1]
    if chosen.json:
        numbers = {
            "python": platform.python_version(),
            "points": points,
            "growth_bytes": growth,
            "slope_bytes_per_execution": slope,
        }
        print(json.dumps(numbers))
    else:
        print(f"from {points[0][1] / 2**20:.2f} MiB before: {growth / 2**20:+.2f} MiB")
        print(f"slope after the first slice: {slope:+.2f} bytes per execution")


if __name__ == "__main__":
    main()
