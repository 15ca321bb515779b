"""All files of a report, written so that an index never leads to a page that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.kernel.outcome import Severity
from semafuzz.reports.formats.registry import OF_FINDINGS, OF_REPORTS
from semafuzz.reports.formats.report import Report
from semafuzz.reports.pages.content import Site
from semafuzz.reports.pages.finding import Links, finding_page
from semafuzz.reports.pages.index import index_page
from semafuzz.reports.run_view.schema import FindingView

Told = tuple[FindingView, Severity, str]
"""A finding, how severe it is, and the name of its files."""
_ORDER = {"error": 0, "warning": 1, "note": 2}


def _beside(findings: Sequence[Told], number: int) -> tuple[Sequence[Told], Sequence[Told]]:
    """What stands before one, and what after it: at most one of each."""
    return findings[:number][-1:], findings[number + 1 :][:1]


def write_site(site: Site, folder: Path) -> int:
    """Write every file, the index last; how many. OSError where the disk refuses."""
    findings = sorted(site.findings, key=lambda one: (_ORDER.get(one[1], 0), one[0].kind, one[2]))
    files: dict[str, str] = {}
    for number, (picture, severity, name) in enumerate(findings):
        before, after = ("".join(f"{one[2]}.html" for one in some) for some in _beside(findings, number))
        forms = [(name + form.suffix, form.purpose) for form in OF_FINDINGS if picture.run or not form.needs_run]
        links = Links(before, after, forms)
        files[f"{name}.html"] = finding_page(picture, severity, links)
        for form in OF_FINDINGS:
            if picture.run is not None or not form.needs_run:
                files[name + form.suffix] = form.write(picture, severity)
            else:
                # That of an earlier report would tell of a run that there is no more.
                (folder / (name + form.suffix)).unlink(missing_ok=True)
    title = "semafuzz"
    if site.summary is not None:
        title = f"{site.summary.command} of {site.summary.target} {site.summary.release}".strip()
    sections = site.summary.result.sections if site.summary is not None else ()
    report = Report([(picture, severity) for picture, severity, _ in findings], title, sections)
    files |= {name: write(report) for name, write in OF_REPORTS.items()}
    for name, text in files.items():
        atomic_write(folder / name, text.encode("utf-8", "replace"))
    # Pages of an earlier report stay, and nothing leads to them.
    atomic_write(folder / "index.html", index_page(findings, site, title).encode("utf-8", "replace"))
    return len(files) + 1
