"""The contract of verdicts: what a search looked into, what it did not, and what it may claim.

*complete* is given here and nowhere else. It says that every schedule of the program was covered and
that everything that could tell two schedules apart was seen. Whatever took part without being seen is
a limit of the answer, has a name, and makes the verdict *cut*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.kernel.outcome import LimitKind
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result

MOST = 8
"""Limits of one kind that are told by name."""

_WORDS: Mapping[LimitKind, str] = {
    "code": "ran in two tasks without being looked into: {what}; add {cure}",
    "unknown": "objects whose kind is not known were used by two tasks: {what}",
    "outside": "files, sockets or processes took part, whose state is not seen: {what}",
    "clock": "a real clock was read: {what}",
    "reach": "a call was given {what}",
    "torn": "operations that look at several places, or run code meanwhile, were taken for one step: {what}",
    "time-out": "time-outs ran out only where nothing else could go on; --timeouts any tries the others too",
    "state": "state outlived an execution: {what}",
    "random": "random numbers were drawn, of which one sequence was tried (see --seed): {what}",
    "finaliser": "objects with finalisers took part: {what}",
    "closure": "accesses in {what} are not seen (closures made before control over names that are rebound); "
    "define them inside the program",
}

Limits = Mapping[tuple[LimitKind, str], int]
"""What took part unseen: kind and name, with a site (0 for none)."""


def limit_lines(limits: Limits) -> list[str]:
    """One line for each kind of limit, with the names and the first places."""
    lines = []
    for kind, words in _WORDS.items():
        found = [(what, site) for (of, what), site in limits.items() if of == kind]
        if not found:
            continue
        shown = [f"{what} at {SITES[site].place()}" if site else what for what, site in found[:MOST]]
        more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
        cure = " ".join(f"--instrument {what}" for what, _ in found[:MOST] if " " not in what) or "its module"
        lines.append(words.format(what=", ".join(shown) + more, cure=cure))
    return lines


def limit_kind(line: str) -> LimitKind | None:
    """That of a line of :func:`limit_lines`; None for another text."""
    return next((kind for kind, words in _WORDS.items() if line.startswith(words.partition("{")[0])), None)


def give_verdict(result: Result, limits: Limits, *, exhausted: bool) -> None:
    """Say what the search came to. ``exhausted``: every schedule under the scheduling points that
    are known was made to its end."""
    result.limits = limit_lines(limits)
    result.not_watched = sorted(what for kind, what in limits if kind == "code")
    if result.verdict == "uncontrolled":
        return
    if result.failures:
        result.verdict = "found"
    elif exhausted and not limits:
        result.verdict, result.exhausted = "complete", True
    else:
        result.verdict = "cut"


def conclude(result: Result, detectors: Sequence[Detector], unasked: Sequence[Detector] = ()) -> None:
    """Complete the failures by what all executions showed, and add the sections. ``unasked``: detectors that nobody
    asked for."""
    result.failures = [_completed(finding, detectors) for finding in result.failures]
    result.sections += [section for detector in detectors if (section := detector.report()) is not None]
    found = [section for detector in unasked if (section := detector.report()) is not None]
    result.sections += [msgspec.structs.replace(section, asked=False) for section in found]


def _completed(finding: Finding, detectors: Sequence[Detector]) -> Finding:
    """A finding that names one place only, with what a detector knows beside it."""
    if len(finding.places) > 1:
        return finding
    for detector in detectors:
        more = detector.complete(finding.kind, finding.detail)
        if more is not None:
            return replace(finding, message=more.message, places=(*finding.places, *more.places))
    return finding
