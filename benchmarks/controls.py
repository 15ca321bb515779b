"""Which known defects `semafuzz fuzz` finds by itself, and whether their traces fall silent.

    .venv/bin/python benchmarks/controls.py --releases 21.1.0,19.0.1 --seconds 600 --jobs 2
    .venv/bin/python benchmarks/controls.py --releases 28.0.0 --fixed

Each release is fuzzed once, with nothing but its number. A defect of the catalogue counts as
found where a finding has its name and the kept trace, replayed on the first release with the
fix (and searched, where it does not fit), shows nothing any more; where nothing has fixed it
yet, its name is all there is to go by. With ``--fixed`` the same budget goes to releases
without the defects; listed is what has the name of one that should not be there and all of its
operations, with no fault where it needs none. Nothing is asserted: a search that is cut proves
nothing, and what is listed may be another defect, which reading it settles.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from semafuzz.harness.traces.codec import read
from semafuzz.targets import find_target
from semafuzz.targets.model.catalogue import Catalogued, Defect
from semafuzz.targets.model.scenario import describe, parts_of, scenario_of

CANDIDATES = 12
"""Findings with a defect's name that are replayed on the release with the fix."""
SEARCH = 300


@dataclass(frozen=True)
class Kept:
    """A finding by its trace. ``names``: of its operations and faults."""

    trace: Path
    identity: tuple[str, ...]
    names: frozenset[str]
    program: str
    has_fault: bool = False


def kept_by(release: str, arguments: argparse.Namespace) -> tuple[int, list[Kept]]:
    """Fuzz a release: how many schedules, and what was found."""
    folder = arguments.out / release
    done = semafuzz(
        "fuzz", "nova", "--release", release, "--seconds", str(arguments.seconds), "--jobs", str(arguments.jobs),
        "--seed", str(arguments.seed), "--out", str(folder), "--json",
    )  # fmt: skip
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["schedules"], [kept(Path(one["trace"])) for one in answer["failures"] if one["trace"]]


def kept(path: Path) -> Kept:
    """What a trace says of its finding."""
    trace = read(path)
    scenario = scenario_of(trace)
    return Kept(path, trace.expected.identity, frozenset(parts_of(scenario)), describe(scenario), bool(scenario.faults))


def candidates(defect: Defect, found: list[Kept]) -> list[Kept]:
    """Findings with the defect's name and some of its operations or its fault, those with most first."""
    own = frozenset(one.name for task in defect.content.tasks for one in task)
    if defect.fault is not None:
        own |= {defect.fault[0]}
    named = [one for one in found if one.names & own and any(defect.shows in part for part in one.identity)]
    if defect.warns:
        named += [
            one
            for one in found
            if one.names <= own and len(one.names) > 1 and any(defect.warns in part for part in one.identity)
        ]
    return sorted(named, key=lambda one: (-len(one.names & own), len(one.names)))[:CANDIDATES]


def doubtful(defect: Defect, found: list[Kept]) -> list[Kept]:
    """Findings of a release without the defect that could be it: with its name and all of its
    operations, and with a fault only where it needs one."""
    own = frozenset(one.name for task in defect.content.tasks for one in task)
    fault = defect.fault[0] if defect.fault is not None else ""
    shown = defect.warns or defect.shows
    return [
        one
        for one in found
        if any(shown in part for part in one.identity)
        and own <= one.names
        and (fault in one.names if fault else not one.has_fault)
    ]


def is_silent(one: Kept, release: str) -> bool:
    """Whether a trace shows nothing on a release: as recorded, or searched where that does
    not fit."""
    done = semafuzz("replay", str(one.trace), "--release", release, "--search", str(SEARCH), "--json")
    return done.stdout.startswith("{") and json.loads(done.stdout.splitlines()[-1])["reproduces"] is False


def semafuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of this installation."""
    return subprocess.run(
        [sys.executable, "-m", "semafuzz", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )


def found_words(defect: Defect, found: list[Kept]) -> str:
    """The answer for a defect that is there."""
    for one in candidates(defect, found):
        if not defect.fixed:
            return f"found: {one.program}"
        if is_silent(one, defect.fixed[0]):
            return f"found: {one.program} (silent in {defect.fixed[0]})"
    return "not found"


def main() -> None:
    """Print a line for each release and defect."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", required=True)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("reports/out/controls"))
    parser.add_argument("--fixed", action="store_true")
    arguments = parser.parse_args()
    target = find_target("nova")
    assert isinstance(target, Catalogued)
    for release in arguments.releases.split(","):
        schedules, found = kept_by(release, arguments)
        print(f"{release}: {schedules} schedules, {len(found)} findings", flush=True)
        for defect in target.defects():
            if not arguments.fixed and defect.known and release in defect.affected:
                print(f"  {defect.name}: {found_words(defect, found)}", flush=True)
            if arguments.fixed and release in defect.fixed:
                named = [one.program for one in doubtful(defect, found)]
                print(f"  {defect.name}: {'; '.join(named) or 'silent'}", flush=True)


if __name__ == "__main__":
    main()
