"""Bars for a table of releases, for a person who waits for it.

On a terminal there is a bar for each release that is under way, and they go away at the
end; elsewhere a line when a release begins, and one when it is through.
"""

from __future__ import annotations

import sys
from collections import Counter
from threading import Lock
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from semafuzz.reports.terminal.plain_text import plain


class WaitingTable:
    """Shows columns of ``rows`` answers each, of which there are ``columns``. Threads may
    call it; ``clear`` must be called at the end."""

    def __init__(self, columns: int, rows: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, markup=False)
        self._columns, self._rows = columns, rows
        self._bars: Progress | None = None
        self._lines: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._through = 0
        self._lock = Lock()

    def tell(self, column: str, last: str, answers: Counter[str]) -> None:
        """What a column has come to: ``last`` is the row that was answered last, "" at first."""
        with self._lock:
            done = answers.total()
            if column not in self._began:
                self._began[column] = perf_counter()
            self._through += done == self._rows
            if self._console.is_terminal:
                self._draw(column, last, done)
            elif not done or done == self._rows:
                self._write(column, answers)

    def clear(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
        sys.stderr.flush()

    def _write(self, column: str, answers: Counter[str]) -> None:
        if answers:
            counts = ", ".join(f"{count} {answer}" for answer, count in answers.most_common())
            seconds = perf_counter() - self._began[column]
            said = f"{counts}, {seconds:.0f} s ({self._through} of {self._columns} releases)"
        else:
            said = f"{self._rows} defects to try"
        self._console.print(f"semafuzz: {plain(column, 40)}: {said}", soft_wrap=True)

    def _draw(self, column: str, last: str, done: int) -> None:
        if self._bars is None:
            cells = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
            self._bars = Progress(
                *cells, TimeElapsedColumn(), TextColumn("{task.fields[last]}"), console=self._console, transient=True
            )
            self._lines[""] = self._bars.add_task("releases", total=self._columns, last="")
            self._bars.start()
        if column not in self._lines:
            self._lines[column] = self._bars.add_task(plain(column, 40), total=self._rows, last="")
        self._bars.update(self._lines[column], completed=done, last=plain(last, 50), visible=done < self._rows)
        self._bars.update(self._lines[""], completed=self._through)
