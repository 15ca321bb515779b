"""How long a blind `semafuzz fuzz` takes to report each known defect of a release, over several seeds.

    .venv/bin/python benchmarks/time_to_defect.py 34.0.0 --seconds 300 --jobs 2 --seeds 5
    .venv/bin/python benchmarks/time_to_defect.py 34.0.0 --before reports/out/time-to-defect/34.0.0.json

A row for each defect of the catalogue that the release has: in how many seeds it was reported,
and the median and the worst of the wall and CPU seconds until then (of the process that reported
it, times the number of jobs). A seed that ended without it counts as the budget, with a ``>``. A
finding is a defect's where its failure has the defect's name and its program all operations of
the defect's, variants counted as what they vary, and its fault where the defect has one. The last
rows are what the order of the search is judged by: the pairs of operations between which an error
needs two tasks, in each seed. Nothing is asserted. With ``--before``, the medians of an earlier
table stand beside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.signature import functions_of
from semafuzz.targets import find_target
from semafuzz.targets.model.catalogue import Catalogued, Defect, recognised, variants_of
from semafuzz.targets.model.scenario import faults_of, parts_of, scenario_of

FOLDER = Path("reports/out/time-to-defect")


def fuzz(release: str, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """The JSON answer of one search."""
    folder = arguments.out / release / f"seed-{seed}"
    done = subprocess.run(
        [
            sys.executable, "-m", "semafuzz", "fuzz", "nova", "--release", release, "--seconds",
            str(arguments.seconds), "--jobs", str(arguments.jobs), "--seed", str(seed), "--out", str(folder),
            "--json", *arguments.option,
        ],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


class Reported:
    """One finding of a search, with what its trace says."""

    def __init__(self, failure: dict[str, Any], like: dict[str, str]) -> None:
        trace = read(Path(failure["trace"]))
        scenario = scenario_of(trace)
        self.seconds, self.cpu_seconds = float(failure["seconds"]), float(failure["cpu_seconds"])
        self.identity, self.release = trace.expected.identity, trace.release
        self.faults = frozenset(faults_of(scenario))
        self.names = frozenset(like.get(part, part) for part in parts_of(scenario)) - self.faults
        self.tasks = len(scenario.content.tasks)
        self.functions = functions_of((*failure["pair"], *self.identity))
        self.needs_two = failure["severity"] == "error" and self.tasks > 1 and not failure["sequential"]
        self.pair = tuple(
            sorted(like.get(name.partition("(")[0], name.partition("(")[0]) for name in failure["operations"])
        )

    def shows(self, defect: Defect, like: dict[str, str]) -> bool:
        """Whether this is the defect, by its name and its operations or places; not where it is no error yet."""
        shown, program = " ".join(self.identity), self.names | self.faults
        only = [replace(defect, warns="")]
        found = recognised(
            only, shown, program, tasks=self.tasks, like=like, release=self.release, functions=self.functions
        )
        return found is not None


def table(
    release: str, defects: Sequence[Defect], like: dict[str, str], arguments: argparse.Namespace
) -> dict[str, Any]:
    """Run all seeds; the rows by the names of defects, and the pairs for each seed."""
    times: dict[str, list[tuple[float, float]]] = {defect.name: [] for defect in defects}
    pairs, schedules = [], []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        answer = fuzz(release, seed, arguments)
        found = [Reported(one, like) for one in answer["failures"] if one["trace"]]
        schedules.append(answer["schedules"])
        pairs.append(sorted({one.pair for one in found if one.needs_two}))
        for defect in defects:
            met = [one for one in found if one.shows(defect, like)]
            if met:
                first = min(met, key=lambda one: one.seconds)
                times[defect.name].append((first.seconds, first.cpu_seconds * arguments.jobs))
        print(
            f"seed {seed}: {answer['schedules']} schedules, {len(answer['failures'])} findings, errors that need "
            f"two tasks between {len(pairs[-1])} pairs", file=sys.stderr, flush=True,
        )  # fmt: skip
    return {
        "release": release, "seconds": arguments.seconds, "jobs": arguments.jobs, "seeds": arguments.seeds,
        "times": times, "pairs": pairs, "schedules": schedules,
    }  # fmt: skip


def median_words(times: Sequence[Sequence[float]], seeds: int, which: int, budget: float) -> tuple[str, str]:
    """Median and worst, a seed that found nothing at the budget."""
    values = sorted(one[which] for one in times) + [float("inf")] * (seeds - len(times))

    def words(value: float) -> str:
        return f">{budget:.0f}" if value == float("inf") else f"{value:.0f}"

    return words(statistics.median_low(values)), words(values[-1])


def show(made: dict[str, Any], defects: Sequence[Defect], before: dict[str, Any] | None) -> None:
    """Print the table."""
    seeds, budget, jobs = made["seeds"], made["seconds"], made["jobs"]
    print(f"{made['release']}: {budget:.0f} s, {jobs} jobs, {seeds} seeds; seconds until reported, median / worst")
    for defect in defects:
        times = made["times"][defect.name]
        wall, cpu = median_words(times, seeds, 0, budget), median_words(times, seeds, 1, budget * jobs)
        kind = "two tasks" if len(defect.content.tasks) > 1 else "one task"
        was = ""
        if before is not None and defect.name in before["times"]:
            known = before["times"][defect.name]
            median, _ = median_words(known, before["seeds"], 0, before["seconds"])
            was = f"   before {len(known)}/{before['seeds']}  wall {median}"
        print(
            f"  {defect.name:34} {kind:9} {len(times)}/{seeds}  wall {wall[0]:>5} / {wall[1]:>5}"
            f"  cpu {cpu[0]:>5} / {cpu[1]:>5}{was}"
        )
    print("  schedules:", ", ".join(map(str, made["schedules"])))
    for number, pairs in enumerate(made["pairs"]):
        named = "; ".join(" || ".join(one) for one in pairs)
        print(f"  seed {number}: errors that need two tasks between {len(pairs)} pairs: {named}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--option", action="append", default=[], help="one more argument of fuzz")
    arguments = parser.parse_args()
    target = find_target("nova")
    assert isinstance(target, Catalogued)
    like = variants_of(target)
    defects = [
        one
        for one in target.defects()
        if arguments.release in one.affected and "threads" in (one.models or ("threads",))
    ]
    made = table(arguments.release, defects, like, arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{arguments.release}.json").write_text(json.dumps(made, indent=1))
    show(made, defects, json.loads(arguments.before.read_text()) if arguments.before else None)


if __name__ == "__main__":
    main()
