"""The sections of a result for a person: at most 80 columns, details below their row."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.sections.section import Row, Section

WIDTH = 80
MOST_LINES = 40
"""Rows of a table that are shown."""
MOST = 20
"""Sentences of each severity that are shown; the JSON has all of them."""
_FIRST = 50
"""Characters of the first column, at most."""


def section_lines(section: Section) -> Iterator[str]:
    """The lines of a section: a table, or sentences with the worst first."""
    yield section.title
    yield from section.lines
    yield from _table(section) if section.columns else _sentences(section)
    if not section.rows and section.empty:
        yield f"  {section.empty}"


def _table(section: Section) -> Iterator[str]:
    cells = [[f"{cell:,}" if isinstance(cell, int) and cell else str(cell or "") for cell in row.cells] for row in
             section.rows]  # fmt: skip
    numbers = [any(isinstance(row.cells[at], int) for row in section.rows) for at in range(len(section.columns))]
    widths = [max([len(name), *(len(line[at]) for line in cells)]) for at, name in enumerate(section.columns)]
    widths = [min(width, _FIRST) if at == 0 else max(width, 7) for at, width in enumerate(widths)]

    def line(texts: list[str]) -> str:
        parts = [
            f"{text[:width]:>{width}}" if number else f"{text[:width]:{width}}"
            for text, width, number in zip(texts, widths, numbers, strict=True)
        ]
        return "  ".join(parts).rstrip()

    yield ""
    yield line(list(section.columns))
    for row, texts in list(zip(section.rows, cells, strict=True))[:MOST_LINES]:
        yield line(texts)
        for detail in row.details:
            yield from wrap(detail, WIDTH, initial_indent="  ", subsequent_indent="    ")
    if len(section.rows) > MOST_LINES:
        yield f"and {len(section.rows) - MOST_LINES} more: --json shows all"


def _sentences(section: Section) -> Iterator[str]:
    order: tuple[Severity | None, ...] = ("error", "warning", "note", None)
    for severity in order:
        rows = [row for row in section.rows if row.severity == severity]
        for row in rows[:MOST]:
            yield from _sentence(row)
        if len(rows) > MOST:
            yield f"  and {len(rows) - MOST} more: --json shows all"


def _sentence(row: Row) -> Iterator[str]:
    yield f"  {row.severity}: {row.cells[0]}" if row.severity else f"  {row.cells[0]}"
    yield from (f"    {detail}" for detail in row.details)
