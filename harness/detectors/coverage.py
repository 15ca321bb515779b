"""Coverage of a search, counted over its executions, and an estimate of what it has not met.

Counted over executions: which failures showed, which operations overlapped, which two
places touched one location in this order, and which read saw which write. The chance that
the next execution shows something never met is estimated as the part of the executions
whose find was met once only (Good, "The population frequencies of species and the
estimation of population parameters", Biometrika 1953; Turing's estimator), and the number of
kinds never met from below by Chao, "Nonparametric estimation of the number of classes in a
population", Scand. J. Statistics 1984.

Both suppose that executions are drawn alike and independently. A search that learns, or
that goes through programs one after the other, is no such thing: the figures say how the
search as it was begins to repeat itself, never that nothing is left.
"""

from __future__ import annotations

from collections import Counter
from time import perf_counter

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.locations import coarse_key
from semafuzz.harness.kernel.outcome import ADVICE, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.sections.coverage import Coverage
from semafuzz.harness.traces.signature import failure_identity

EVERY = 4
"""Of the executions that do not fail, one in so many is looked at closely."""
MOST = 50_000
"""Of pairs of places that are told apart."""


class Discovery(Detector):
    """A watcher that counts; it says nothing of its own and changes no search. ``once``: the
    failures that were met once only."""

    def __init__(self) -> None:
        self._coverage = Coverage()
        self._started = perf_counter()
        self._orders: Counter[tuple[int, int]] = Counter()
        self._reads: Counter[tuple[int, int]] = Counter()
        self._overlaps: Counter[tuple[str, str]] = Counter()
        self._failing: Counter[tuple[str, str]] = Counter()
        self._failures: Counter[str] = Counter()
        self._next = 1.0
        self._first: dict[str, int] = {}
        self._same: dict[int, int] = {}
        self.once = 0

    def keep(self, outcome: Outcome) -> None:
        """Count an execution of the search."""
        coverage = self._coverage
        coverage.executions += 1
        failed = [failure for failure in outcome.failures if failure.kind not in ADVICE]
        for name in {"|".join(failure_identity(failure)) for failure in failed}:
            self._failures[name] += 1
            met = self._failures[name]
            self.once += (met == 1) - (met == 2)
        if coverage.executions % EVERY == 1 or failed:
            coverage.looked += 1
            self._look(outcome, bool(failed))
        if coverage.executions >= self._next:
            self._next = max(self._next + 1, self._next * 1.25)
            self._mark()

    def _mark(self) -> None:
        seconds = round(perf_counter() - self._started, 3)
        self._coverage.curve.append((self._coverage.executions, seconds, len(self._failures), len(self._orders)))

    def _look(self, outcome: Outcome, failed: bool) -> None:
        orders: set[tuple[int, int]] = set()
        reads: set[tuple[int, int]] = set()
        last: dict[tuple[int, object], tuple[int, int, bool]] = {}
        written: dict[tuple[int, object], tuple[int, int]] = {}
        for kind, task, subject, name, site in outcome.events:
            if kind > op.WRITE_ALL or not site:
                continue
            key = coarse_key(kind, subject, name)
            writes = kind in op.WRITES
            before = last.get(key)
            if before is not None and before[0] != task.index and (writes or before[2]):
                orders.add((before[1], site))
            if writes:
                written[key] = (task.index, site)
            else:
                source = written.get(key)
                if source is not None and source[0] != task.index:
                    reads.add((source[1], site))
            last[key] = (task.index, site, writes)
        if len(self._orders) < MOST:
            self._orders.update({(self._place(one), self._place(other)) for one, other in orders})
            self._reads.update({(self._place(one), self._place(other)) for one, other in reads})
        overlaps = _overlapping(outcome)
        self._overlaps.update(overlaps)
        if failed:
            self._failing.update(overlaps)

    def _place(self, site: int) -> int:
        """The first site of the same place: several expressions of a line are one place."""
        found = self._same.get(site)
        if found is None:
            found = self._same[site] = self._first.setdefault(SITES[site].place(), site)
        return found

    def coverage(self) -> Coverage:
        """What was counted so far, with places in the place of numbers."""
        if self._coverage.executions and (
            not self._coverage.curve or self._coverage.curve[-1][0] != self._coverage.executions
        ):
            self._mark()
        made = self._coverage
        made.failures = dict(self._failures)
        made.orders = {f"{SITES[a].place()}\n{SITES[b].place()}": count for (a, b), count in self._orders.items()}
        made.reads = {f"{SITES[a].place()}\n{SITES[b].place()}": count for (a, b), count in self._reads.items()}
        made.overlaps = {"\n".join(pair): count for pair, count in self._overlaps.items()}
        made.failing = {"\n".join(pair): count for pair, count in self._failing.items()}
        return made


def _overlapping(outcome: Outcome) -> set[tuple[str, str]]:
    """Operations of two tasks that were under way at the same time, by name."""
    under_way: dict[int, str] = {}
    found: set[tuple[str, str]] = set()
    for kind, task, _, name, _ in outcome.events:
        if kind == op.OPERATION:
            mine = str(name).partition("(")[0]
            for number, other in under_way.items():
                if number != task.index:
                    found.add((min(mine, other), max(mine, other)))
            under_way[task.index] = mine
        elif kind == op.OPERATION_END:
            under_way.pop(task.index, None)
    return found
