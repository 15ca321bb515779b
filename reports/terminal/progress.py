"""Progress of a search, in figures, and in words for a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Figures(NamedTuple):
    """``schedules`` and ``programs`` that were run; ``findings`` that were worked out;
    ``waiting``: failures that wait to be; ``once``: failures that were met once only."""

    schedules: int = 0
    programs: int = 0
    findings: int = 0
    waiting: int = 0
    once: int = 0

    @property
    def unseen(self) -> float:
        """The estimated chance that the next execution shows a failure never met
        (``semafuzz.harness.detectors.coverage``)."""
        return self.once / self.schedules if self.schedules else 1.0

    def words(self) -> str:
        """The end of a line of progress."""
        waiting = f", {self.waiting} failures to look at" if self.waiting else ""
        chance = f", {self.unseen:.2%} to meet a new failure" if self.schedules else ""
        return f", {self.programs} programs{waiting}{chance}"


def added(figures: Sequence[Figures]) -> Figures:
    """Of several searches. A failure that each met once counts for each of them."""
    return Figures(*(sum(kind) for kind in zip(*figures, strict=True)))
