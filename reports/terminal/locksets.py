"""What candidate locksets suggest, for a person."""

from __future__ import annotations

from collections.abc import Iterator

from semafuzz.harness.detectors.lockset.eraser import LocksetReport, Suggestion

MOST = 20
"""Suggestions of each severity that are shown; the JSON has all of them."""


def lockset_lines(report: LocksetReport) -> Iterator[str]:
    """The lines: first what is not guarded throughout, then what is."""
    yield f"Locks as used in {report.executions:,} executions (advice: see docs/lock-discipline.md)"
    for severity in ("warning", "note"):
        found = [one for one in report.suggestions if one.severity == severity]
        for one in found[:MOST]:
            yield from _lines(one)
        if len(found) > MOST:
            yield f"  and {len(found) - MOST} more: --json shows all"
    if not report.suggestions:
        yield "  no location was written while tasks shared it"


def _lines(one: Suggestion) -> Iterator[str]:
    share = f"{one.guarded:,} of {one.accesses:,} accesses"
    if one.severity == "note":
        yield f"  note: {one.location} is guarded by {one.lock} ({share})"
        return
    words = f"guarded by {one.lock} at {share} only" if one.lock else "shared and written without any lock"
    yield f"  warning: {one.location} is {words}"
    for breach in one.breaches:
        yield f"    {'written' if breach.write else 'read'} without it: {breach.place}"
