"""The table of lock discipline for a person: at most 80 columns, places below their row."""

from __future__ import annotations

from collections.abc import Iterator

from semafuzz.harness.detectors.discipline.table import DisciplineTable

WIDTH = 80


def discipline_lines(table: DisciplineTable) -> Iterator[str]:
    """The lines of the table."""
    rows = table.rows
    name = min(max([len("method"), *(len(row.method) for row in rows)]), 50)
    yield f"Lock discipline of {table.subject}"
    yield f"under {table.lock}, as seen in {table.executions:,} executions:"
    yield ""
    yield f"{'method':{name}}  {'lock':14}  {'writes':>7}"
    for row in rows:
        count = f"{row.writes:,}" if row.writes else ""
        yield f"{row.method[:name]:{name}}  {row.status:14}  {count:>7}".rstrip()
        if row.place:
            yield f"  {row.unguarded:,} without the lock, first at"[:WIDTH]
            yield f"  {row.place}"[:WIDTH]
