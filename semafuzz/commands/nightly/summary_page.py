"""A night as Markdown, for the page of a CI job: what was not searched stands first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from semafuzz.campaign.corpus import Known
from semafuzz.commands.nightly.summary_lines import NightlyReport, Told, was
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.reports.formats.markdown import escaped
from semafuzz.targets.declared.loading import is_spec

PAGE = "summary.md"
"""The file, in the folder of the corpus."""
ROWS = 100
"""Findings of one kind that are listed; the pages have all of them."""


def write_night(report: NightlyReport, folder: Path) -> None:
    """Write the page into the folder of the corpus. OSError where it cannot be written."""
    atomic_write(folder / PAGE, night_page(report).encode())


def night_page(report: NightlyReport) -> str:
    """The whole page."""
    parts = [f"# The night of {report.date or 'today'}", ""]
    if report.blind:
        parts += [f"## Not searched: {len(report.blind)} of {report.searches}", ""]
        parts += ["| what | why |", "|---|---|"]
        parts += [f"| {escaped(name)} | {escaped(why)} |" for name, why in report.blind[:ROWS]]
        parts += [*_more(len(report.blind)), ""]
    if report.unsure:
        parts += [f"## Not known whether they still show: {len(report.unsure)}", ""]
        parts += [f"- {escaped(known.program)}: {escaped(why)}" for known, _, why in report.unsure[:ROWS]]
        parts += [*_more(len(report.unsure)), ""]
    kinds = (
        ("New", report.new), ("Returned", report.returned), ("Vanished", report.vanished),
        ("More programs of causes that are told or known", report.further),
    )  # fmt: skip
    for title, found in kinds:
        if found:
            parts += [f"## {title}: {len(found)}", "", *_table(found, report.date)]
    new = {known.name for known, _ in (*report.new, *report.further)}
    rest = [told for told in report.everything if told[0].name not in new and told[0].state == "kept"]
    for release in sorted({known.release for known, _ in rest}):
        of_release = [told for told in rest if told[0].release == release]
        parts += [f"## Known in {escaped(release)}: {len(of_release)}", "", *_table(of_release, report.date)]
    for score, before in report.mutants:
        release = escaped(score.release or "the target")
        parts += [f"## Mutants of {release}: {score.words}{was(before)}", ""]
        parts += [f"- {escaped(text)}: survives" for text in score.survivors[:ROWS]]
        parts += [*_more(len(score.survivors)), ""]
    if report.everything:
        parts += ["The commands are for the folder of the corpus.", ""]
    parts += [
        f"{report.schedules:,} schedules in {report.searches} searches; the root of their seeds is {report.root}.",
        *(f"- {escaped(text)}" for text in report.notes),
    ]
    return "\n".join(parts) + "\n"


def _table(found: Sequence[Told], today: str) -> list[str]:
    ordered = sorted(found, key=lambda told: (told[0].severity != "error", told[0].target, told[0].program))
    lines = ["| | where | program | what | first night | age | replay |", "|---|---|---|---|---|---|---|"]
    for known, _ in ordered[:ROWS]:
        what = known.message.partition("\n")[0]
        where = f"{known.target} {known.release}".strip()
        cells = [
            known.severity, where, known.program, what, known.since or "?", _age(known, today), _command(known)
        ]  # fmt: skip
        lines.append("| " + " | ".join(map(escaped, cells)) + " |")
    return [*lines, *_more(len(ordered)), ""]


def _more(count: int) -> list[str]:
    return ["", f"{count - ROWS} more are in the pages."] if count > ROWS else []


def _command(known: Known) -> str:
    """What replays it, wherever the folder of the corpus is: who reads this may have it on another machine."""
    program = f" --program {known.target}" if is_spec(known.target) else ""
    return f"semafuzz replay findings/{known.name}.trace.json{program}"


def _age(known: Known, today: str) -> str:
    try:
        days = (date.fromisoformat(today) - date.fromisoformat(known.since)).days
    except ValueError:
        return "?"
    return f"{days} day" if days == 1 else f"{days} days"
