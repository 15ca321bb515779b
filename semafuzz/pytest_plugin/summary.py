"""The section of the terminal summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

Stamp = tuple[int, int, int]


class Summary:
    """Knows which traces were there before the session, so that those of a worker that
    died before it could report them are found too."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._before = _stamps(out)

    def write(self, reporter: Any, config: pytest.Config) -> None:
        """Write the section, where there is anything to tell."""
        reports = [report for several in reporter.stats.values() for report in several]
        told = [report for report in reports if hasattr(report, "semafuzz")]
        lines = [_line(report, row) for report in told for row in report.semafuzz["rows"]]
        # A report of no phase is the controller's, for a test in which its worker died.
        if any(getattr(report, "when", "collect") not in _PHASES for report in reports):
            lines += self._lost(config, {row["trace"] for report in told for row in report.semafuzz["rows"]})
        machines = [
            text for report in reports for name, text in getattr(report, "user_properties", ()) if name == MACHINE
        ]
        if lines:
            reporter.section("interleave findings")
        for line in lines:
            reporter.line(line)
        if told:
            records = [report.semafuzz for report in told]
            reporter.line("interleave: " + _totals(records))
            for line in _looked_into(records):
                reporter.line(line)

        for text in machines[:MOST_MACHINES]:
            reporter.line(f"machine {text}")
        if len(machines) > MOST_MACHINES:
            reporter.line(f"machine: {len(machines) - MOST_MACHINES} more found nothing")

    def _lost(self, config: pytest.Config, reported: set[str]) -> Iterator[str]:
        """A line for each trace of a test that was written in this session and that no report names."""
        from semafuzz.harness.errors import TraceError
        from semafuzz.harness.traces import codec
        from semafuzz.pytest_plugin.kept_traces import test_in
        from semafuzz.pytest_plugin.replay_command import in_pytest
        from semafuzz.reports.terminal.plain_text import plain

        told = {Path(path).resolve() for path in reported if path}
        for path, stamp in sorted(_stamps(self._out).items()):
            if self._before.get(path) == stamp or path.resolve() in told:
                continue
            try:
                trace = codec.read(path)
            except TraceError:
                continue
            if test_in(trace):
                what = f"{trace.expected.kind}: {trace.expected.message}".splitlines()[0]
                yield (
                    f"{trace.expected.signature} error: {plain(test_in(trace))}: {plain(what, 200)} (the worker that "
                    f"found it died): {in_pytest(config, test_in(trace), path)}"
                )


MACHINE = "semafuzz machine"
"""The property of a report that says what a state machine which found nothing has covered."""
MOST_MACHINES = 10
"""Machines of which it is told."""
MOST_LIMITS = 5
"""What was not seen that is told by name."""

_PHASES = ("setup", "call", "teardown", "collect")


def _line(report: Any, row: Mapping[str, Any]) -> str:
    words = row["severity"]
    if not row["fails"]:
        words += " (does not fail; --interleave-strict makes it)"
    elif hasattr(report, "wasxfail"):
        words += " (expected)"
    return f"{row['signature']} {words}: {report.nodeid}: {row['what']}: {row['replay'] or 'no trace was written'}"


def _stamps(folder: Path) -> dict[Path, Stamp]:
    """The traces below ``folder``, with what changes when one is written anew."""
    found = {}
    for path in folder.glob("*/*.json"):
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_ino, status.st_mtime_ns, status.st_size)
    return found


def _looked_into(records: list[Mapping[str, Any]]) -> list[str]:
    """Which modules were looked into, and what was not seen, over all tests."""
    from semafuzz.reports.terminal.plain_text import plain

    watched = sorted({name for record in records for name in record["watched"]})
    limits = list(dict.fromkeys(limit for record in records for limit in record["limits"]))
    lines = [f"interleave: watched {plain(', '.join(watched), 300)}"] if watched else []
    lines += [f"interleave: not seen: {plain(limit, 300)}" for limit in limits[:MOST_LIMITS]]
    if len(limits) > MOST_LIMITS:
        lines.append(f"interleave: not seen: {len(limits) - MOST_LIMITS} things more")
    return lines


def _totals(records: list[Mapping[str, Any]]) -> str:
    words = {
        "found": "found something",
        "complete": "complete (every schedule was covered)",
        "cut": "cut (the budget ended: nothing found, which proves nothing)",
        "uncontrolled": "uncontrolled (nothing can be said)",
        "gone": "kept traces no longer reproduce",
    }
    counts = {verdict: sum(record["verdict"] == verdict for record in records) for verdict in words}
    schedules = sum(record["schedules"] for record in records)
    parts = [f"{count} {words[verdict]}" for verdict, count in counts.items() if count]
    return f"{schedules:,} schedules; " + ", ".join(parts)
