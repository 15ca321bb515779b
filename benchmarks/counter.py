"""Executions a second on the least program, and how they compare.

    .venv/bin/python benchmarks/counter.py

Three numbers, from the same minutes on the same machine:

- executions a second of the two-task racy counter under the random scheduler;
- the time of one plain greenlet switch. Executions a second times this time has no unit
  and depends little on the machine: it is the number to compare between machines;
- executions a second of frontrun 0.7.0 on the same program, in an environment of its own
  (benchmarks/.venv, made when it is missing), with its default settings and with its
  detection of input and output off, which is faster. The ratio is to the faster one.

Neither tool judges the outcome, so that no failure ends a run. Each number is the median
of the runs. Nothing is asserted: a slow machine is no defect.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import racy_counter
from greenlet import getcurrent, greenlet
from racy_counter import Counter

from semafuzz import TaskProgram, explore

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
SWITCHES = 1_000_000
FRONTRUN_EXECUTIONS = 1_000


def our_rate(executions: int, seed: int) -> float:
    """Executions a second, the set-up of the exploration included."""
    program = TaskProgram(Counter, [Counter.increment] * 2, name="racy counter", under_test=[racy_counter])
    started = perf_counter()
    result = explore(program, scheduler="random", schedules=executions, seed=seed, stop_on_first=False)
    seconds = perf_counter() - started
    if result.schedules != executions or result.classes < 2:
        raise SystemExit(f"not a measurement: {result.schedules} executions, {result.classes} classes, {result.notes}")
    return executions / seconds


def switch_seconds() -> float:
    """The time of one plain switch between two greenlets."""
    main = getcurrent()

    def bounce() -> None:
        back = main.switch
        while True:
            back()

    there = greenlet(bounce).switch
    rounds = range(SWITCHES // 2)  # two switches each, there and back
    started = perf_counter()
    for _ in rounds:
        there()
    return (perf_counter() - started) / SWITCHES


def peer_python() -> Path:
    """The Python that has frontrun, in its own environment, made when it is missing."""
    sys.path.insert(0, str(HERE.parent))
    import bootstrap

    folder = HERE / ".venv"
    stamp = bootstrap.digest(REQUIREMENTS.read_bytes(), sys.version.encode(), os.fsencode(HERE))
    if not bootstrap.is_made(folder, stamp):
        bootstrap.say("making benchmarks/.venv with frontrun")
        bootstrap.make_environment(folder, stamp, ["--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)])
    return Path(bootstrap.python_of(folder))


def frontrun_rate(python: Path, detect_io: bool) -> float:
    """frontrun's executions a second, in a fresh process."""
    worker = [str(HERE / "frontrun_worker.py"), str(FRONTRUN_EXECUTIONS), "io" if detect_io else "no-io"]
    done = subprocess.run(
        [str(python.with_name("frontrun")), str(python), *worker],
        capture_output=True,
        text=True,
        cwd=HERE,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    if done.returncode:
        raise SystemExit(f"frontrun failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["executions"] / found["seconds"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=20_000, help="executions of one run (default %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of which the median counts (default %(default)s)")
    parser.add_argument("--no-frontrun", action="store_true", help="leave frontrun out; nothing is installed then")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    chosen = parser.parse_args()

    # Side by side, so that a slow minute of the machine slows both.
    pairs = [(our_rate(chosen.executions, number), switch_seconds()) for number in range(chosen.runs)]
    ours, switch = (median(values) for values in zip(*pairs, strict=True))
    product = median(rate * seconds for rate, seconds in pairs)
    numbers: dict[str, object] = {
        "python": platform.python_version(),
        "executions_per_second": ours,
        "switch_seconds": switch,
        "product": product,
        "runs": pairs,
    }
    lines = [
        f"semafuzz            {ours:>10,.0f} executions/s",
        f"greenlet switch     {switch * 1e6:>10.3f} µs",
        f"product             {product:>10.5f} (executions/s times switch time; no unit)",
    ]
    if not chosen.no_frontrun:
        python = peer_python()
        default = median(frontrun_rate(python, detect_io=True) for _ in range(chosen.runs))
        no_io = median(frontrun_rate(python, detect_io=False) for _ in range(chosen.runs))
        ratio = ours / max(default, no_io)
        numbers |= {
            "frontrun_executions_per_second": default,
            "frontrun_without_io_executions_per_second": no_io,
            "ratio_to_frontrun": ratio,
        }
        lines += [
            f"frontrun 0.7.0      {default:>10,.0f} executions/s",
            f"  I/O detection off {no_io:>10,.0f} executions/s",
            f"ratio               {ratio:>10.1f} (to the faster of the two)",
        ]
    print(json.dumps(numbers) if chosen.json else "\n".join(lines))


if __name__ == "__main__":
    main()
