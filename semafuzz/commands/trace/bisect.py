"""``semafuzz bisect``: in which releases a trace reproduces."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from semafuzz.commands.report.notes_beside import keep_notes, notes_beside
from semafuzz.harness.errors import CannotJudge, UsageError
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Operations
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.waiting import waiting
from semafuzz.self_command import run_options
from semafuzz.targets import find_target
from semafuzz.targets.declared.target import DECLARED
from semafuzz.targets.model.protocol import Released

FEW = 8
"""Up to so many releases are all judged; of more, those that a binary search meets."""

REPRODUCES, GONE, UNKNOWN = "reproduces", "does not reproduce", "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one release, and why."""

    release: str
    answer: str
    why: str


@dataclass(frozen=True, slots=True)
class Boundary:
    """Two releases that differ, with nothing judged between them. ``unknown``: what
    lies between and could not be judged."""

    before: Verdict
    after: Verdict
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        fixed = self.after.answer == GONE
        text = f"first {'fixed' if fixed else 'affected'} release: {self.after.release}"
        if self.unknown:
            text += f", or one of {', '.join(self.unknown)}, which cannot be judged"
        return f"{text} (the last {'affected' if fixed else 'that is not'}: {self.before.release})"


def judge_release(trace: Path, release: str) -> Verdict:
    """Replay on one release, in a process of its own."""
    command = [sys.executable, *run_options(), "replay", str(trace), "--release", release, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answer = {0: GONE, 1: REPRODUCES}.get(done.returncode, UNKNOWN)
    if done.returncode == 2:
        raise KeyboardInterrupt
    why = ""
    if answer != UNKNOWN:
        why = str(json.loads(done.stdout.splitlines()[-1]).get("why", ""))
    else:
        said = [line for line in done.stderr.splitlines() if line.startswith("semafuzz: ")]
        why = said[-1].removeprefix("semafuzz: ") if said else f"exit code {done.returncode}"
    return Verdict(release, answer, why)


def search(releases: Sequence[str], judge: Callable[[str], Verdict]) -> list[Verdict]:
    """Judge releases, oldest first: all where they are few; or else the ends, and where
    these differ a binary search between them. One that is unknown is passed by for
    its nearest neighbours."""
    if len(releases) <= FEW:
        return [judge(release) for release in releases]
    known: dict[int, Verdict] = {}

    def at(position: int) -> Verdict:
        if position not in known:
            known[position] = judge(releases[position])
        return known[position]

    low, high = 0, len(releases) - 1
    if {at(low).answer, at(high).answer} == {REPRODUCES, GONE}:
        while high - low > 1:
            middle = _nearest_known(low, high, at)
            if middle is None:
                break
            if at(middle).answer == at(low).answer:
                low = middle
            else:
                high = middle
    return [known[position] for position in sorted(known)]


def _nearest_known(low: int, high: int, at: Callable[[int], Verdict]) -> int | None:
    """The release nearest to the middle between two that can be judged."""
    middle = (low + high) // 2
    for position in sorted(range(low + 1, high), key=lambda one: (abs(one - middle), one)):
        if at(position).answer != UNKNOWN:
            return position
    return None


def boundaries(verdicts: Sequence[Verdict]) -> list[Boundary]:
    """Where the answer changes from one judged release to the next."""
    found = []
    last: Verdict | None = None
    unknown: list[str] = []
    for verdict in verdicts:
        if verdict.answer == UNKNOWN:
            unknown.append(verdict.release)
            continue
        if last is not None and last.answer != verdict.answer:
            found.append(Boundary(last, verdict, tuple(unknown)))
        last, unknown = verdict, []
    return found


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0: a boundary was found, or no release is affected; 1: all that could be judged
    are affected; 125: no boundary, and one of the ends could not be judged."""
    if boundaries(verdicts):
        return 0
    if not verdicts or UNKNOWN in (verdicts[0].answer, verdicts[-1].answer):
        return 125
    return 1 if {one.answer for one in verdicts} - {UNKNOWN} == {REPRODUCES} else 0


def run_bisect(path: Path, first: str, last: str, given: str, as_json: bool) -> int:
    """Judge the releases from ``first`` to ``last`` and print a table; the exit code.

    ``given``: releases to judge, separated by commas, in place of those that are known.
    """
    releases = candidates(path, first, last, given)

    judged = 0

    def judge(release: str) -> Verdict:
        nonlocal judged
        judged += 1
        with waiting(f"{release} is judged, number {judged} of at most {len(releases)} releases"):
            verdict = judge_release(path, release)
        if not as_json:
            print(f"{release:<12} {verdict.answer:<20} {plain(verdict.why, 200)}", flush=True)
        return verdict

    verdicts = search(releases, judge)
    before = notes_beside(path, "bisect")
    # Not to know it here takes nothing from what was known.
    keep_notes(
        path,
        "bisect",
        {one.release: one.answer for one in verdicts if one.answer != UNKNOWN or one.release not in before},
    )
    found = boundaries(verdicts)
    code = exit_code(verdicts)
    if as_json:
        rows = [{"release": one.release, "answer": one.answer, "why": one.why} for one in verdicts]
        where = [str(one) for one in found]
        sys.stdout.write(json.dumps({"releases": rows, "boundaries": where, "judged": code != 125}) + "\n")
    else:
        for one in found:
            print(one)
        if not found and code != 125:
            print(
                "no release that was judged is affected" if code == 0 else "every release that was judged is affected"
            )
    if code == 125:
        ends = [one for one in (verdicts[0], verdicts[-1]) if one.answer == UNKNOWN]
        raise CannotJudge(f"{ends[0].release} could not be judged, so nothing can be said of the range")
    return code


def candidates(path: Path, first: str, last: str, given: str) -> list[str]:
    """The releases to judge, oldest first. UsageError for a trace that has none, and
    for a range that is empty."""
    trace = read(path)
    if not isinstance(trace.program, Operations) or trace.target == DECLARED:
        raise UsageError("bisect goes with traces of Nova; for your own code there is `git bisect run semafuzz replay`")
    target = find_target(trace.target)
    if not isinstance(target, Released):
        raise UsageError(f"bisect goes with traces of Nova; the target {target.name} has no releases to compare")
    found = target.releases_between(first, last, [one.strip() for one in given.split(",") if one.strip()])
    if len(found) < 2:
        raise UsageError(f"there are no two releases from {first} to {last} to compare; give them with --releases")
    return found
