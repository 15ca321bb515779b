"""Progress of a command that runs a program again and again without being a search."""

from __future__ import annotations

from time import perf_counter

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.reports.terminal.result import Progress


class CountedRuns(Detector):
    """Counts executions, and says so where somebody waits. ``what``: they are for; ``of``: how many there may be, 0
    where nobody knows. ``clear`` must be called at the end."""

    def __init__(self, what: str, of: int = 0) -> None:
        self._what, self._of = what, f" of {of:,}" if of else ""
        self._progress = Progress()
        self._started = perf_counter()
        self.count = 0

    def begin(self) -> None:
        """One more execution."""
        self.count += 1
        seconds = perf_counter() - self._started
        self._progress.line(f"{self._what}: {self.count:,}{self._of} executions, {seconds:.0f} s")

    def clear(self) -> None:
        """Take the line away."""
        self._progress.clear()
