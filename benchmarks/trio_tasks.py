"""How fast async programs are executed under control, beside plain trio.

Prints, measured in turns on this machine: executions a second of a small program (three
tasks, some ten checkpoints) and of a longer one (a hundred checkpoints) under the
random scheduler, recording and learning included; the same programs by plain
``trio.run``; and the ratio of the two, which depends little on the machine. Each
number is the median of the runs. Nothing is asserted: a slow machine is no defect.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter

import trio

from semafuzz import explore
from semafuzz.harness.trio_engine import TrioProgram


class Counter:
    """A counter that tasks read and write with a checkpoint between."""

    def __init__(self) -> None:
        self.value = 0

    async def count(self, times: int) -> None:
        """Add so many ones, and lose some."""
        for _ in range(times):
            value = self.value
            await trio.lowlevel.checkpoint()
            self.value = value + 1


async def count(times: int) -> int:
    """Two tasks that count at the same time."""
    counter = Counter()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(counter.count, times)
        nursery.start_soon(counter.count, times)
    return counter.value


async def small() -> int:
    """Some ten checkpoints."""
    return await count(5)


async def longer() -> int:
    """Some hundred checkpoints."""
    return await count(50)


def plain_rate(function: Callable[[], Awaitable[object]], executions: int) -> float:
    """Runs of plain trio a second."""
    started = perf_counter()
    for _ in range(executions):
        trio.run(function)
    return executions / (perf_counter() - started)


def our_rate(function: Callable[[], Awaitable[object]], executions: int, seed: int) -> float:
    """Executions a second, the set-up of the exploration included."""
    started = perf_counter()
    result = explore(TrioProgram(function), scheduler="random", schedules=executions, seed=seed, stop_on_first=False)
    seconds = perf_counter() - started
    if result.schedules != executions or result.classes < 2:
        raise SystemExit(f"not a measurement: {result.schedules} executions, {result.classes} classes, {result.notes}")
    return executions / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=2_000, help="executions of one run (default %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median counts (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    chosen = parser.parse_args()

    numbers: dict[str, object] = {"python": platform.python_version(), "trio": trio.__version__}
    lines = [f"trio {trio.__version__}, Python {platform.python_version()}"]
    for function in (small, longer):
        # Side by side, so that a slow minute of the machine slows both.
        pairs = [
            (our_rate(function, chosen.executions, number), plain_rate(function, chosen.executions))
            for number in range(chosen.runs)
        ]
        ours, plain = (median(values) for values in zip(*pairs, strict=True))
        ratio = median(mine / other for mine, other in pairs)
        numbers[function.__name__] = {"executions_per_second": ours, "plain_per_second": plain, "ratio": ratio}
        lines.append(f"{function.__name__:<8} {ours:>8,.0f} executions/s, plain {plain:>8,.0f}, ratio {ratio:.2f}")
    print(json.dumps(numbers) if chosen.json else "\n".join(lines))


if __name__ == "__main__":
    main()
