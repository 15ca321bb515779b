"""Confirming findings: each is replayed in a fresh process before it is printed.

The search has run the program many times, so that caches are filled and modules imported. What
shows only in such a process is no finding as it stands: where it shows after the program has run
once, the trace says so; where it does not repeat, it is listed apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces import codec
from semafuzz.reports.terminal.plain_text import WIDTH, width_here
from semafuzz.self_command import HASH_SEED, run_options
from semafuzz.supervisor import CHANNEL

PATIENCE = 120.0
"""Seconds after which a replay is given up."""
WARM = (1, 4, 20)
"""How often the program may have to run before its failure shows: each is tried."""
MOST_OUTPUT = 4000
"""Characters of what the program printed that are kept."""


@dataclass(frozen=True, slots=True)
class _Replayed:
    same: bool
    output: str
    why: str
    sentence: str = ""
    interleaving: tuple[str, ...] = ()
    assertion: str = ""
    gil: str = ""


def confirm(result: Result, spec: str) -> None:
    """Replay the findings of a search; what does not repeat is moved to ``result.unconfirmed``."""
    kept: list[Finding] = []
    for finding in result.failures:
        if not finding.trace:
            kept.append(finding)
            continue
        confirmed = _confirmed(finding, spec)
        (kept if confirmed.confirmed else result.unconfirmed).append(confirmed)
    result.failures = kept
    if not kept and result.verdict == "found":
        result.verdict, result.first_failure = "cut", None


def tell(finding: Finding) -> Finding:
    """A finding of a target with what happened, as its replay tells it; itself where that cannot be had."""
    if not finding.trace:
        return finding
    shown = _replay(Path(finding.trace), "")
    return _with_story(finding, shown) if shown.same else finding


def _with_story(finding: Finding, shown: _Replayed) -> Finding:
    return replace(
        finding,
        sentence=shown.sentence,
        interleaving=shown.interleaving,
        assertion=shown.assertion,
        gil=shown.gil,
    )


def replays_alone(trace: Path, spec: str) -> bool:
    """Whether the trace of this program shows its failure in a fresh process."""
    return _replay(trace, spec).same


def _confirmed(finding: Finding, spec: str) -> Finding:
    path = Path(finding.trace)
    first = _replay(path, spec)
    if first.same:
        return _told(finding, first, 0)
    trace = codec.read(path)
    for times in WARM:
        codec.write(msgspec.structs.replace(trace, warm=times), path)
        again = _replay(path, spec)
        if again.same:
            return _told(finding, again, times)
    codec.write(trace, path)
    return replace(finding, confirmed=False, not_confirmed=first.why)


def _told(finding: Finding, shown: _Replayed, warm: int) -> Finding:
    return replace(_with_story(finding, shown), confirmed=True, warm=warm, output=shown.output)


def _replay(trace: Path, spec: str, options: Sequence[str] = ()) -> _Replayed:
    environment = {name: value for name, value in os.environ.items() if name != CHANNEL}
    program = ["--program", spec] if spec else []
    command = [sys.executable, *run_options(), "replay", str(trace), *program, "--search", "0", "--json", *options]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            env={**environment, "PYTHONHASHSEED": HASH_SEED, WIDTH: str(width_here())},
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _Replayed(False, "", f"a replay did not end within {PATIENCE:.0f} seconds")
    ours = [line for line in done.stderr.splitlines() if line.startswith("semafuzz: ")]
    printed = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("semafuzz: "))
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
        same = bool(answer["reproduces"] and answer["identical"])
        why = str(answer["why"])
        told = (
            str(answer["sentence"]),
            tuple(map(str, answer["interleaving"])),
            str(answer["assertion"]),
            str(answer["gil"]),
        )
    except (LookupError, ValueError, TypeError):
        told = "", (), "", ""
        same, why = False, ours[-1].removeprefix("semafuzz: ") if ours else f"a replay ended with {done.returncode}"
    return _Replayed(same and done.returncode == 1, printed[-MOST_OUTPUT:], why, *told)
