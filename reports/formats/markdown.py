"""Markdown: a summary for the page of a CI job, and a report of one finding for a tracker."""

from __future__ import annotations

import re
from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.reports.formats.report import Report
from semafuzz.reports.run_view.bisection import by_answer
from semafuzz.reports.run_view.facts import facts_sentence
from semafuzz.reports.run_view.places import spots_of
from semafuzz.reports.run_view.printable import clean
from semafuzz.reports.run_view.schema import FindingView
from semafuzz.reports.run_view.sentence import sentence

ROWS = 200
"""Of the summary: job pages drop what is longer than a megabyte."""
_SPECIAL = re.compile(r"([\\`*_\[\]<>#!|~&$@])")


def escaped(text: str, limit: int = 300) -> str:
    """``text`` as Markdown that shows it as it is: no link, no image, no markup of any kind,
    no mention of anybody."""
    cut = clean(text.replace("\n", " "))[:limit]
    return (
        _SPECIAL.sub(r"\\\1", cut)
        .replace("\\<", "&lt;")
        .replace("\\>", "&gt;")
        .replace("\\&", "&amp;")
        .replace("\\@", "&#64;")
    )


def summary(report: Report) -> str:
    """A table of findings, errors first."""
    findings, title = report.findings, report.title
    if not findings:
        return f"## {escaped(title)}\n\nNothing was found.\n"
    lines = [f"## {escaped(title)}", "", f"{len(findings)} finding{'' if len(findings) == 1 else 's'}.", ""]
    lines += ["| finding | severity | what | operations | place |", "| --- | --- | --- | --- | --- |"]
    for picture, severity in findings[:ROWS]:
        spots = spots_of(picture)
        place = f"{spots[0].file}:{spots[0].line}" if spots else ""
        cells = (picture.signature, severity, sentence(picture), " , ".join(picture.operations), place)
        lines.append("| " + " | ".join(escaped(cell) for cell in cells) + " |")
    if len(findings) > ROWS:
        lines += ["", f"{len(findings) - ROWS} more are in the report."]
    return "\n".join(lines) + "\n"


def fenced(lines: Sequence[str]) -> list[str]:
    """A block that shows its lines as they are; the fence is longer than any in them."""
    shown = [clean(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *shown, fence]


def bug_report(picture: FindingView, severity: Severity) -> str:
    """One finding for a bug tracker, complete in itself, with what a bisection said of releases."""
    where = f"{picture.target} {picture.release}".strip()
    lines = [
        f"# {escaped(sentence(picture), 1000)}",
        "",
        f"Seen in {escaped(where)}, {escaped(picture.model)} model, severity {escaped(severity)}.",
    ]
    happened = facts_sentence(picture.run) if picture.run is not None else ""
    lines += [line for text in (happened, picture.gil) if text for line in ("", escaped(text, 1000))]
    lines += [f"Releases: {escaped(answer)}: {escaped(releases, 2000)}." for answer, releases in by_answer(picture)]
    if picture.remedies:
        lines += ["", "## Remedies that were tried", ""]
        lines += [f"- {escaped(remedy, 500)}: {escaped(said, 1000)}" for remedy, said in picture.remedies.items()]
    if picture.tasks:
        lines += ["", "## What runs", ""]
        program = [f"first, alone: {' ; '.join(picture.setup)}"] if picture.setup else []
        program += [f"task-{number}: {' ; '.join(task)}" for number, task in enumerate(picture.tasks)]
        lines += fenced([*program, *(f"fault: {one}" for one in picture.faults)])
    if picture.story:
        lines += ["", "## In which order", "", *fenced(picture.story)]
    if picture.shared:
        lines += ["", "## What the tasks do to what they share", "", *fenced(picture.shared)]
    if picture.detail:
        lines += ["", "## What is wrong then", "", *fenced(picture.detail[:40])]
    if picture.excerpts:
        lines += ["", "## The lines involved", ""]
        for one in picture.excerpts:
            marked = [
                f"{'>' if one.first + number in one.marked else ' '} {one.first + number:5} {line}"
                for number, line in enumerate(one.lines)
            ]
            lines += [escaped(one.file), "", *fenced(marked), ""]
    elif picture.places:
        lines += ["", "## The places involved", "", *fenced(picture.places)]
    lines += ["", "## How to see it", "", *fenced(picture.commands)]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(picture.versions.items())[:12])
    return "\n".join([*lines, "", f"Versions: {escaped(versions, 2000)}."]) + "\n"
