"""What a corpus of many findings costs: merging it, merging it again, and making pages of a thousand.

    .venv/bin/python benchmarks/many_traces.py --traces 10000

The traces are copies of one finding of the reference target, each with a signature of its own. Seconds are those of the
processor, of the command as a whole; memory is the most that it had.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def find_one(folder: Path) -> Path:
    """A trace of the reference target with a defect switched on."""
    search = ["fuzz", "reference", "--set", "defect=missing_lock", "--schedules", "300", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "semafuzz", *search], capture_output=True, check=False)
    return next(folder.glob("*.json"))


def copy_it(trace: Path, count: int, into: Path) -> None:
    """As many traces, each with another signature."""
    into.mkdir()
    text = trace.read_text()
    own = json.loads(text)["expected"]["signature"]
    for number in range(count):
        name = hashlib.sha256(str(number).encode()).hexdigest()[:12]
        (into / f"{name}.json").write_text(text.replace(own, name))


def measure(*arguments: str) -> dict[str, float]:
    """Processor seconds and MiB of a command."""
    process = subprocess.Popen(
        [sys.executable, "-m", "semafuzz", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise SystemExit(f"semafuzz {' '.join(arguments)} ended with {code}")
    return {"cpu_seconds": used.ru_utime + used.ru_stime, "mib": used.ru_maxrss / 1024}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument("--pages", type=int, default=1000, help="findings in the report")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.environ["PYTHONHASHSEED"] = "0"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = find_one(folder / "found")
        copy_it(one, asked.traces, folder / "many")
        copy_it(one, asked.pages, folder / "shown")
        told = {
            "merge": measure("merge", str(folder / "many"), "--into", str(folder / "all")),
            "merge again": measure("merge", str(folder / "many"), "--into", str(folder / "all")),
            "report": measure("report", str(folder / "shown")),
        }
    if asked.json:
        print(json.dumps({"traces": asked.traces, "pages": asked.pages, **told}))
        return
    for what, figures in told.items():
        count = asked.pages if what == "report" else asked.traces
        print(f"{what:<12} {count:>7,} traces {figures['cpu_seconds']:>8.1f} s of CPU {figures['mib']:>6.0f} MiB")


if __name__ == "__main__":
    main()
