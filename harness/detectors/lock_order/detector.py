"""Locks that are taken in different orders, over all executions of a search.

What it misses and when it is wrong: see :mod:`semafuzz.harness.detectors.lock_order.graph`. A cycle is no failure:
``check`` tries to make a deadlock of each that its search has not met (:class:`~.postponing.Postponing`), and says
what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from semafuzz.harness.detectors.lock_order.graph import Cycle, LockOrder
from semafuzz.harness.detectors.lockset.lock_names import Names
from semafuzz.harness.detectors.protocol import Detector, Suspect
from semafuzz.harness.detectors.sampling import Sample
from semafuzz.harness.errors import documentation
from semafuzz.harness.kernel.outcome import Outcome, Severity
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.sections.section import Row, Section

Steps = tuple[tuple[str, str, int, int], ...]
"""Of each task: the lock that it holds and the one that it wants, by name, and where it takes each."""


@dataclass(slots=True)
class FoundCycle:
    """One cycle. ``executions``: that have it; ``deadlocks``: that ended in a deadlock at its places; ``tried``:
    schedules that were made to bring it about."""

    steps: Steps
    executions: int = 0
    deadlocks: int = 0
    tried: int = 0

    @property
    def sites(self) -> frozenset[int]:
        """Where the second locks are taken."""
        return frozenset(step[3] for step in self.steps)


@dataclass(slots=True)
class LockOrders(Detector):
    """Learns from executions; no execution fails by it. ``covered``: the search has run every schedule."""

    section = "lock-order"

    found: dict[frozenset[tuple[int, int]], FoundCycle] = field(default_factory=dict)
    covered: bool = False
    _sample: Sample = field(default_factory=Sample)

    def keep(self, outcome: Outcome) -> None:
        """Learn from an execution."""
        deadlocks = [set(failure.sites) for failure in outcome.failures if failure.kind == "deadlock"]
        for sites in deadlocks:
            for known in self.found.values():
                known.deadlocks += known.sites <= sites
        if not self._sample.takes():
            return
        run = LockOrder(outcome.events)
        if len(run.edges) < 2:
            return
        names: Names | None = None
        met: set[frozenset[tuple[int, int]]] = set()
        for cycle in run.cycles():
            key = frozenset((edge.held_site, edge.wanted_site) for edge in cycle)
            if key in met:
                continue
            met.add(key)
            if key not in self.found:
                names = names or Names(outcome.events)
                self.found[key] = FoundCycle(_steps(cycle, run, names))
            self.found[key].executions += 1

    def suspects(self, *, covered: bool) -> Sequence[Suspect]:
        """The cycles that have not become a deadlock, unless every schedule was run."""
        self.covered = covered
        return [] if covered else [Suspect(one.sites, partial(_tried, one)) for one in self.found.values()
                                   if not one.deadlocks]  # fmt: skip

    def report(self) -> Section:
        """The cycles so far, those that became a deadlock first."""
        ranked = sorted(self.found.values(), key=lambda cycle: (-cycle.deadlocks, -cycle.executions, cycle.steps))
        return Section(
            self.section,
            f"Orders of locks in {self._sample.looked:,} executions ({documentation('lock-order')})",
            self._sample.looked,
            tuple(self._row(cycle) for cycle in ranked),
            empty="no two locks are taken in both orders",
        )

    def _row(self, cycle: FoundCycle) -> Row:
        names = " → ".join([step[0] for step in cycle.steps] + [cycle.steps[0][0]])
        severity: Severity = "warning" if cycle.deadlocks else "note"
        details = [self._came_to(cycle)]
        for held, wanted, held_site, wanted_site in cycle.steps:
            details.append(f"{held} at {SITES[held_site].place()}, then {wanted} at {SITES[wanted_site].place()}")
        taken = tuple(SITES[site] for step in cycle.steps for site in (step[3], step[2]))
        data = {
            "locks": [step[0] for step in cycle.steps],
            "places": [[SITES[step[2]].place(), SITES[step[3]].place()] for step in cycle.steps],
            "executions": cycle.executions,
            "deadlocks": cycle.deadlocks,
            "tried": cycle.tried,
            "covered": self.covered,
        }
        return Row((f"{names}",), severity, tuple(dict.fromkeys(details)), data, taken)

    def _came_to(self, cycle: FoundCycle) -> str:
        if cycle.deadlocks:
            return f"it deadlocks, as {cycle.deadlocks:,} of the executions did"
        if self.covered:
            return "it does not deadlock: every schedule was covered, so something else keeps the tasks apart"
        tried = f"; {cycle.tried:,} schedules that wait for it were tried" if cycle.tried else ""
        return f"no execution deadlocked here so far{tried}"


def _tried(cycle: FoundCycle, schedules: int) -> None:
    cycle.tried += schedules


def _steps(cycle: Cycle, run: LockOrder, names: Names) -> Steps:
    """From the lock whose name comes first: where an execution met the cycle first says nothing."""
    steps = tuple(
        (
            names.lock(*run.locks[edge.held]),
            names.lock(*run.locks[edge.wanted]),
            edge.held_site,
            edge.wanted_site,
        )
        for edge in cycle
    )
    first = min(range(len(steps)), key=lambda number: steps[number][:2])
    return steps[first:] + steps[:first]
