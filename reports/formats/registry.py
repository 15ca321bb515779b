"""The files of a report, by format: to add one, write its module and enter it here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.reports.formats.jsonlines import event_lines
from semafuzz.reports.formats.junit import junit_xml
from semafuzz.reports.formats.markdown import bug_report, summary
from semafuzz.reports.formats.perfetto import trace_events
from semafuzz.reports.formats.report import Report
from semafuzz.reports.formats.sarif import sarif_log
from semafuzz.reports.run_view.schema import FindingView


class FindingFormat(NamedTuple):
    """A file for each finding. ``suffix``: what follows its name; ``purpose``: what it is for, in words. ``needs_run``:
    it tells of the run, so that there is none where the trace could not be run."""

    suffix: str
    purpose: str
    write: Callable[[FindingView, Severity], str]
    needs_run: bool = False


OF_FINDINGS = (
    FindingFormat(".md", "a text for a bug tracker", bug_report),
    FindingFormat(
        ".perfetto.json",
        "a timeline for ui.perfetto.dev",
        lambda picture, severity: trace_events(picture),
        needs_run=True,
    ),
    FindingFormat(
        ".jsonl", "its events, one on a line", lambda picture, severity: "".join(event_lines(picture)), needs_run=True
    ),
)

OF_REPORTS: dict[str, Callable[[Report], str]] = {
    "findings.sarif": sarif_log,
    "junit.xml": junit_xml,
    "summary.md": summary,
}
"""Files for the whole report, by their names."""
