"""A section of a result: what one detector has to say of a whole search.

Terminal, JSON, pages and SARIF render it without knowing which detector made it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.kernel.sites import Site


class Row(msgspec.Struct, frozen=True):
    """One line. ``cells``: a text or a number for each column of the section; a section without
    columns has one cell, a sentence. ``severity``: None where it is neither good nor bad.
    ``details``: lines that belong below it. ``data``: the same for machines, as plain JSON. ``places``: where it
    stands in the source, the first of them what one would look at."""

    cells: tuple[str | int, ...]
    severity: Severity | None = None
    details: tuple[str, ...] = ()
    data: dict[str, Any] = {}
    places: tuple[Site, ...] = ()


class Section(msgspec.Struct, frozen=True):
    """``name``: the key in JSON, and by which sections of several searches are merged.
    ``lines``: what follows the title. ``executions``: how many it rests on. ``empty``: what is
    said where there are no rows. ``divided``: searches that are joined have each a part of the rows.
    ``asked``: somebody wanted to read it; one that nobody asked for is mentioned in a line at most."""

    name: str
    title: str
    executions: int
    rows: tuple[Row, ...]
    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    empty: str = ""
    divided: bool = False
    asked: bool = True

    @property
    def severity(self) -> Severity | None:
        """That of the worst row."""
        met = {row.severity for row in self.rows}
        order: tuple[Severity, ...] = ("error", "warning", "note")
        return next((severity for severity in order if severity in met), None)
