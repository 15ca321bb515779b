"""The index of a report: what was found, what was covered, and what may be left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.coverage import Coverage, unseen_chance, unseen_kinds
from semafuzz.harness.sections.section import Section
from semafuzz.reports.pages.charts import discovery_curve
from semafuzz.reports.pages.render import page
from semafuzz.reports.run_view.places import spots_of
from semafuzz.reports.run_view.schema import FindingView
from semafuzz.reports.run_view.sentence import sentence
from semafuzz.reports.summaries import Measured
from semafuzz.reports.terminal.sections import section_lines

if TYPE_CHECKING:
    from semafuzz.reports.pages.content import Site

OPERATIONS = 40
"""Of the table of overlaps: those that overlapped most."""
_SHOWN = {"yes": "a picture", "no": "none"}


def index_page(findings: Sequence[tuple[FindingView, Severity, str]], site: Site, title: str) -> str:
    """The page, as HTML. ``findings``: in the order of the table."""
    result = site.summary.result if site.summary is not None else None
    coverage = result.coverage if result is not None else None
    return page(
        "index.html",
        "index.js",
        title=title,
        findings=[_row(picture, severity, name) for picture, severity, name in findings],
        severities=[(name, count) for name, count in Counter(one[1] for one in findings).items()],
        kinds=sorted({picture.kind for picture, _, _ in findings}),
        figures=_figures(result, len(findings)),
        verdict=_verdict(result),
        notes=list(result.notes) if result is not None else [],
        broken=list(site.broken),
        curve=discovery_curve(coverage.curve) if coverage is not None else None,
        estimates=_estimates(coverage) if coverage is not None else [],
        overlaps=_overlaps(coverage) if coverage is not None else None,
        sections=[_section(one) for one in result.sections] if result is not None else [],
        matrix=_matrix(site.matrix),
        measured=_measured(site.summary.files) if site.summary is not None else None,
    )


def _row(picture: FindingView, severity: Severity, name: str) -> dict[str, Any]:
    spots = spots_of(picture)
    return {
        "name": name,
        "signature": picture.signature,
        "severity": severity,
        "kind": picture.kind,
        "what": sentence(picture),
        "where": f"{picture.target} {picture.release}".strip(),
        "operations": ", ".join(picture.operations) or ", ".join(one for task in picture.tasks for one in task),
        "place": f"{spots[0].file}:{spots[0].line}" if spots else "",
        "drawn": picture.run is not None,
    }


def _figures(result: Result | None, findings: int) -> list[tuple[str, str]]:
    shown = [(f"{findings:,}", "finding" if findings == 1 else "findings")]
    if result is None:
        return shown
    shown.append((f"{result.schedules:,}", "schedules"))
    if result.programs:
        shown.append((f"{result.programs:,}", "programs"))
    shown.append((f"{result.classes:,}", "distinct orders"))
    shown.append((f"{result.seconds:,.0f} s", "of searching"))
    if result.seconds:
        shown.append((f"{result.schedules / result.seconds:,.0f}", "schedules a second"))
    return shown


def _verdict(result: Result | None) -> str:
    if result is None:
        return "These are traces that were kept; no search is recorded beside them."
    return {
        "found": "Something was found.",
        "complete": "Every schedule was covered, and nothing was found.",
        "cut": "The search ended before every schedule was covered; nothing was found so far, which proves nothing.",
        "uncontrolled": "Something escaped the scheduler, so nothing can be said.",
    }.get(result.verdict, result.verdict)


def _estimates(coverage: Coverage) -> list[tuple[str, str]]:
    chance = unseen_chance(coverage.failures, coverage.executions)
    orders = unseen_chance(coverage.orders, coverage.looked)
    more = unseen_kinds(coverage.failures)
    return [
        (
            "kinds of failure met (of a kind there can be several findings)",
            f"{len(coverage.failures):,}, about {len(coverage.failures) + more:,.0f} or more in all",
        ),
        ("the next execution shows a new kind", f"{chance:.2%}"),
        ("orders of two places met", f"{len(coverage.orders):,}"),
        ("new orders in the next execution, on average", f"{orders:.2f}"),
        ("pairs of places seen in both orders", f"{coverage.both:,} of {coverage.pairs:,}"),
        ("writes read by another task (reads-from pairs)", f"{len(coverage.reads):,}"),
        ("executions looked at closely", f"{coverage.looked:,} of {coverage.executions:,}"),
    ]


def _overlaps(coverage: Coverage) -> dict[str, Any] | None:
    """Which operations were under way at the same time: how often, and whether it failed."""
    total: Counter[str] = Counter()
    for pair, count in coverage.overlaps.items():
        total.update(dict.fromkeys(pair.split("\n"), count))
    if not total:
        return None
    names = sorted(name for name, _ in total.most_common(OPERATIONS))
    rows = []
    for name in names:
        cells = []
        for other in names:
            pair = "\n".join((min(name, other), max(name, other)))
            count, failing = coverage.overlaps.get(pair, 0), coverage.failing.get(pair, 0)
            state = "fails" if failing else "seen" if count else "never"
            words = f"{name} beside {other}: {count} executions, {failing} of them failed"
            cells.append({"count": count or "", "state": state, "words": words})
        rows.append({"name": name, "cells": cells})
    return {"names": names, "rows": rows, "left": max(0, len(total) - OPERATIONS)}


def _measured(files: Sequence[Measured]) -> dict[str, Any] | None:
    """Which lines ran: by file, and by operation."""
    if not files:
        return None
    by: Counter[str] = Counter()
    for one in files:
        by.update(one.by)
    rows = [
        {
            "file": one.file,
            "lines": f"{one.lines:,} of {one.statements:,}",
            "branches": f"{one.taken:,} of {one.branches:,}",
            "share": f"{(one.lines + one.taken) / (one.statements + one.branches or 1):.0%}",
            "missing": ranges(one.missing),
        }
        for one in files
    ]
    return {"rows": rows, "by": sorted(by.items(), key=lambda one: (-one[1], one[0]))}


def ranges(numbers: Sequence[int], most: int = 30) -> str:
    """``1-3, 7``: numbers in ascending order, in short."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    told = [f"{first}-{last}" if last > first else str(first) for first, last in found]
    return ", ".join(told[:most]) + (f" and {len(told) - most} more" if len(told) > most else "")


def _section(section: Section) -> dict[str, Any]:
    """A section as the page shows it: a table, or sentences."""
    return {
        "name": section.name,
        "title": section.title,
        "lines": section.lines,
        "columns": section.columns,
        "rows": msgspec.to_builtins(section.rows),
        "text": [] if section.columns else list(section_lines(section))[1:],
    }


def _matrix(matrix: Mapping[str, Sequence[Mapping[str, str]]]) -> dict[str, Any] | None:
    if not matrix:
        return None
    names = list(dict.fromkeys(cell["defect"] for cells in matrix.values() for cell in cells))
    answers = {release: {cell["defect"]: cell["answer"] for cell in cells} for release, cells in matrix.items()}
    rows = [{"name": name, "cells": [answers[release].get(name, "") for release in matrix]} for name in names]
    return {"releases": list(matrix), "rows": rows}
