"""A table of several searches while they go on, for a person who waits.

On a terminal it is drawn again four times a second and goes away at the end; elsewhere the
sum is a plain line now and then, so that a log shows life and no more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

from semafuzz.reports.terminal.progress import Figures, added
from semafuzz.reports.terminal.result import Progress


class LiveTable:
    """Shows searches by their numbers. ``clear`` must be called at the end."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._lines = Progress()
        self._live: Live | None = None

    def tell(self, searches: Sequence[Figures], seconds: float) -> None:
        """How far each search is, after so many seconds."""
        if not self._console.is_terminal:
            self._lines.tell(added(searches), seconds)
            return
        if self._live is None:
            self._live = Live(console=self._console, transient=True, refresh_per_second=4)
            self._live.start()
        self._live.update(table_of(searches, seconds))

    def clear(self) -> None:
        """Take the table away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._lines.clear()
        sys.stderr.flush()


def table_of(searches: Sequence[Figures], seconds: float) -> Table:
    """A row for each search, and their sum."""
    table = Table(title=f"{seconds:.0f} s", title_justify="left")
    for name in ("search", "schedules", "a second", "programs", "findings", "to look at", "new next"):
        table.add_column(name, justify="right")
    rows = [(str(number), one) for number, one in enumerate(searches, 1)]
    for name, one in [*rows, ("all", added(searches))] if len(rows) > 1 else rows:
        table.add_row(
            name,
            f"{one.schedules:,}",
            f"{one.schedules / seconds:,.0f}" if seconds else "",
            f"{one.programs:,}",
            f"{one.findings:,}",
            f"{one.waiting:,}",
            f"{one.unseen:.2%}" if one.schedules else "",
            end_section=bool(rows) and name == str(len(rows)),
        )
    return table
