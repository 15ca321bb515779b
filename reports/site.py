"""All files of a report, written so that an index never leads to a page that is not there."""

from __future__ import annotations

from pathlib import Path

from semafuzz.harness.files.atomic_write import write_whole
from semafuzz.reports.formats.jsonlines import event_lines
from semafuzz.reports.formats.junit import junit_xml
from semafuzz.reports.formats.markdown import bug_report, summary
from semafuzz.reports.formats.perfetto import trace_events
from semafuzz.reports.formats.sarif import sarif_log
from semafuzz.reports.pages.content import Site
from semafuzz.reports.pages.finding import finding_page
from semafuzz.reports.pages.index import index_page

_ORDER = {"error": 0, "warning": 1, "note": 2}


def write_site(site: Site, folder: Path) -> int:
    """Write every file, the index last; how many. OSError where the disk refuses."""
    findings = sorted(site.findings, key=lambda one: (_ORDER.get(one[1], 0), one[0].kind, one[2]))
    told = [(picture, severity) for picture, severity, _ in findings]
    files: dict[str, str] = {}
    for picture, severity, name in findings:
        files[f"{name}.html"] = finding_page(picture, severity)
        files[f"{name}.md"] = bug_report(picture, severity)
        if picture.run is not None:
            files[f"{name}.perfetto.json"] = trace_events(picture)
            files[f"{name}.jsonl"] = "".join(event_lines(picture))
        else:
            # Those of an earlier report would tell of a run that there is no more.
            for stale in (f"{name}.perfetto.json", f"{name}.jsonl"):
                (folder / stale).unlink(missing_ok=True)
    title = "semafuzz"
    if site.summary is not None:
        title = f"{site.summary.command} of {site.summary.target} {site.summary.release}".strip()
    files["findings.sarif"] = sarif_log(told)
    files["junit.xml"] = junit_xml(told, title)
    files["summary.md"] = summary(told, title)
    for name, text in files.items():
        write_whole(folder / name, text.encode("utf-8", "replace"))
    # Pages of an earlier report stay, and nothing leads to them.
    write_whole(folder / "index.html", index_page(findings, site, title).encode("utf-8", "replace"))
    return len(files) + 1
