"""How many schedules two searches at once make, beside one: in one run, as a ratio.

    .venv/bin/python benchmarks/workers.py --target nova --seconds 60 --runs 2

The runs alternate, so that what else the machine does falls on both alike. On a target
whose failures are rare, nearly all of the time goes to executions; elsewhere making what
was found small takes a part of it, in both.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path


def schedules(target: list[str], jobs: int, seconds: float) -> int:
    """How many schedules a search makes in so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        told = ["fuzz", *target, "--jobs", str(jobs), "--seconds", str(seconds), "--seed", "0", "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "semafuzz", *told, "--out", str(Path(folder) / "out")],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    return int(json.loads(done.stdout.splitlines()[-1])["schedules"])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="nova", help="a target and its options, with spaces between")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    target = arguments.target.split()
    pairs = [
        (schedules(target, 1, arguments.seconds), schedules(target, arguments.jobs, arguments.seconds))
        for _ in range(arguments.runs)
    ]
    one, many = (sum(kind) for kind in zip(*pairs, strict=True))
    told = {"target": arguments.target, "jobs": arguments.jobs, "runs": pairs, "ratio": round(many / one, 3)}
    if arguments.json:
        print(json.dumps(told))
    else:
        print(f"{arguments.target}: {one:,} schedules with one, {many:,} with {arguments.jobs}: {many / one:.2f} times")


if __name__ == "__main__":
    main()
