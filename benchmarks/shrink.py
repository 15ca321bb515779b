"""What it takes to shrink a schedule, and what comes of it.

    .venv/bin/python benchmarks/shrink.py

The small programs of tests/quality, each found by several searches. For each program: the
preemptions of the first failing run and of the shrunk one (lowest and highest over the
searches), how many different shrunk schedules there are (one is what is wanted), and the
medians of the executions and of the milliseconds of processor time for one shrink.
Nothing is asserted: a slow machine is no defect.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "quality"))

from small_programs import PROGRAMS

from semafuzz.harness.kernel.hot_sites import mark_scheduling_points
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import as_program
from semafuzz.harness.search.recorder import has_failure
from semafuzz.harness.shrink.schedule import preemptions, shrink_schedule
from semafuzz.harness.traces.signature import failure_identity

SCHEDULERS = ("portfolio", "random", "pct5")
MOST = 4000
"""Schedules in which a search has to fail to be counted."""


@dataclass(frozen=True)
class Shrink:
    """One shrink: what it started from, what came of it, and what it took."""

    before: int
    after: int
    schedule: tuple[int, ...]
    executions: int
    milliseconds: float


def first_failure(program: Program, scheduler: str, seed: int, setting: ExecutionConfig) -> Outcome | None:
    """The first failing run of a search."""
    chosen = make_scheduler(scheduler, seed)
    for number in range(MOST):
        chosen.begin(number)
        outcome = execute(program, chosen, setting)
        chosen.end(outcome)
        if outcome.failures:
            return outcome
        mark_scheduling_points(outcome.events, setting.hot)
    return None


def measure(name: str, scheduler: str, seed: int) -> Shrink | None:
    """One shrink of what one search finds first; None where it finds nothing."""
    program = as_program(PROGRAMS[name]())
    setting = ExecutionConfig(bytearray(1 << 16), seed=seed)
    with controlled_session(program.modules()):
        outcome = first_failure(program, scheduler, seed, setting)
        if outcome is None:
            return None
        same = has_failure(failure_identity(outcome.failures[0]))
        started = process_time()
        shrunk = shrink_schedule(program, outcome, setting, same)
        seconds = process_time() - started
    schedule = tuple(event[1].index for event in shrunk.outcome.events)
    return Shrink(preemptions(outcome), preemptions(shrunk.outcome), schedule, shrunk.executions, 1000 * seconds)


def summary(name: str, shrinks: list[Shrink]) -> dict[str, Any]:
    """The figures of one program."""
    return {
        "program": name,
        "searches": len(shrinks),
        "before": [min(one.before for one in shrinks), max(one.before for one in shrinks)],
        "after": [min(one.after for one in shrinks), max(one.after for one in shrinks)],
        "schedules": len({one.schedule for one in shrinks}),
        "executions": median(one.executions for one in shrinks),
        "milliseconds": median(one.milliseconds for one in shrinks),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="seeds for each scheduler (default %(default)s)")
    parser.add_argument("--program", choices=sorted(PROGRAMS), action="append", help="only this one; may be repeated")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    chosen = parser.parse_args()
    found = []
    if not chosen.json:
        print(f"{'program':<24} searches  preemptions before  after  schedules  executions  milliseconds")
    for name in chosen.program or PROGRAMS:
        tried = [measure(name, scheduler, seed) for scheduler in SCHEDULERS for seed in range(chosen.seeds)]
        shrinks = [one for one in tried if one is not None]
        if not shrinks:
            raise SystemExit(f"not a measurement: no search fails in {name}")
        found.append(row := summary(name, shrinks))
        if not chosen.json:
            before, after = ("-".join(map(str, dict.fromkeys(row[key]))) for key in ("before", "after"))
            print(
                f"{name:<24} {row['searches']:>8}  {before:>18}  {after:>5}  {row['schedules']:>9}"
                f"  {row['executions']:>10}  {row['milliseconds']:>12.1f}",
                flush=True,
            )
    if chosen.json:
        print(json.dumps({"python": platform.python_version(), "programs": found}))


if __name__ == "__main__":
    main()
