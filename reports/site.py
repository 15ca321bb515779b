"""All files of a report, written so that an index never leads to a page that is not there."""

from __future__ import annotations

from pathlib import Path

from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.reports.formats.registry import OF_FINDINGS, OF_REPORTS
from semafuzz.reports.formats.report import Report
from semafuzz.reports.pages.content import Site
from semafuzz.reports.pages.finding import finding_page
from semafuzz.reports.pages.index import index_page

_ORDER = {"error": 0, "warning": 1, "note": 2}


def write_site(site: Site, folder: Path) -> int:
    """Write every file, the index last; how many. OSError where the disk refuses."""
    findings = sorted(site.findings, key=lambda one: (_ORDER.get(one[1], 0), one[0].kind, one[2]))
    files: dict[str, str] = {}
    for picture, severity, name in findings:
        files[f"{name}.html"] = finding_page(picture, severity)
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
