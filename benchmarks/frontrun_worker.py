"""One frontrun process: N executions of the racy counter, timed; one JSON line.

Run by counter.py through frontrun's own command, as its documentation says.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter

import frontrun
from racy_counter import Counter


def always(counter: Counter) -> bool:
    """Judge nothing, so that no failure ends the search."""
    return True


def main() -> None:
    """Warm up, measure, print."""
    executions, detect_io = int(sys.argv[1]), sys.argv[2] == "io"
    for attempts in (executions // 10 + 1, executions):
        started = perf_counter()
        result = frontrun.explore(
            setup=Counter,
            workers=[Counter.increment, Counter.increment],
            invariant=always,
            strategy="random",
            seed=0,
            max_attempts=attempts,
            detect_io=detect_io,
        )
        seconds = perf_counter() - started
    print(json.dumps({"executions": result.num_explored, "seconds": seconds}))


if __name__ == "__main__":
    main()
