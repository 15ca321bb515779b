"""Races, over all executions of a search: what was tried with each, and whether it came to anything.

A race is *benign until shown*: the search that met it runs both orders anyway, so the report says how often each of
the two came first, how many of the executions that had the race failed, and whether any failed without it.

What it misses and when it is wrong: see :mod:`semafuzz.harness.detectors.races.fasttrack`. That both orders ran
without a failure says that no assertion, exception or deadlock of the program told them apart, not that nothing is
wrong. Every execution is looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from semafuzz.harness.detectors.lockset.lock_names import Names
from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.detectors.races.fasttrack import Access, FastTrack, Race
from semafuzz.harness.errors import documentation
from semafuzz.harness.kernel.frames import is_machinery
from semafuzz.harness.kernel.observed_execution import Probe
from semafuzz.harness.kernel.outcome import ADVICE, Outcome, Severity
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent
from semafuzz.harness.sections.section import Row, Section

_FRAMES: Final = 8
"""Callers that are shown of an access."""

Places = tuple[str, str]


@dataclass(slots=True)
class _Pair:
    """Two places that race for locations with one name. ``orders``: in how many executions which came first;
    ``failed``: in how many of them the execution failed; ``locks``: those held at the first and at the second."""

    location: str
    sites: tuple[int, int]
    writes: tuple[bool, bool]
    locks: tuple[tuple[str, ...], tuple[str, ...]]
    orders: dict[Places, int] = field(default_factory=dict)
    executions: int = 0
    failed: int = 0


class Races(Detector):
    """Learns from executions; no execution fails by it."""

    section = "races"

    def __init__(self) -> None:
        self._looked = self._failed = 0
        self._pairs: dict[tuple[str, Places], _Pair] = {}
        self._stacks: dict[int, tuple[str, ...]] = {}
        self._wanted: set[int] = set()

    def begin(self) -> Probe | None:
        """Whether callers are to be collected in this execution: those of places that raced in one before."""
        return Probe(self._collect, reads=True) if self._wanted else None

    def _collect(self, event: RawEvent, _: int) -> None:
        site = event[4]
        if site in self._wanted:
            self._wanted.discard(site)
            self._stacks[site] = _callers(sys._getframe(2))

    def keep(self, outcome: Outcome) -> None:
        """Learn from an execution."""
        self._looked += 1
        failed = any(failure.kind not in ADVICE for failure in outcome.failures)
        self._failed += failed
        run = FastTrack(outcome.events)
        if not run.races:
            return
        names = Names(outcome.events)
        met: set[tuple[str, Places]] = set()
        for race in run.races:
            self._add(race, run, names, outcome, met)
        for key in met:
            pair = self._pairs[key]
            pair.executions += 1
            pair.failed += failed

    def _add(self, race: Race, run: FastTrack, names: Names, outcome: Outcome, met: set[tuple[str, Places]]) -> None:
        event = outcome.events[race.second.event]
        order = (SITES[race.first.site].place(), SITES[race.second.site].place())
        key = (names.location(event), (min(order), max(order)))
        pair = self._pairs.get(key)
        if pair is None:
            held = (_locks(race.first, run, names), _locks(race.second, run, names))
            sites, writes = (race.first.site, race.second.site), (race.first_writes, race.second_writes)
            pair = self._pairs[key] = _Pair(key[0], sites, writes, held)
            self._wanted |= {site for site in sites if site not in self._stacks}
        if key not in met or order not in pair.orders:
            pair.orders[order] = pair.orders.get(order, 0) + 1
        met.add(key)

    def report(self) -> Section:
        """The races so far, those of failing executions first."""
        ranked = sorted(self._pairs.values(), key=lambda pair: (-bool(pair.failed), -pair.executions, pair.location))
        return Section(
            self.section,
            f"Races in {self._looked:,} executions: accesses that nothing orders ({documentation('races')})",
            self._looked,
            tuple(self._row(pair) for pair in ranked),
            empty="every two accesses of which one writes were ordered",
        )

    def _row(self, pair: _Pair) -> Row:
        verbs = ["writes" if writes else "reads" for writes in pair.writes]
        places = [SITES[site].place() for site in pair.sites]
        where = f"{verbs[0]} at {places[0]}, {verbs[1]} at {places[1]}"
        severity: Severity = "warning" if pair.failed else "note"
        details = [self._tried(pair, places)]
        for number, site in enumerate(pair.sites):
            locks = ", ".join(pair.locks[number]) or "no lock"
            callers = " < ".join(self._stacks.get(site, ())) or places[number]
            details.append(f"{verbs[number]} under {locks}: {callers}")
        data = {
            "location": pair.location,
            "places": places,
            "writes": list(pair.writes),
            "locks": [list(held) for held in pair.locks],
            "stacks": [list(self._stacks.get(site, ())) for site in pair.sites],
            "executions": pair.executions,
            "failed": pair.failed,
            "orders": len(pair.orders),
        }
        return Row(
            (f"{pair.location}: {where}",),
            severity,
            tuple(dict.fromkeys(details)),
            data,
            tuple(SITES[site] for site in pair.sites),
        )

    def _tried(self, pair: _Pair, places: Sequence[str]) -> str:
        """What came of the attempt to make it fail."""
        both = "both orders ran" if len(pair.orders) > 1 or places[0] == places[1] else "one order ran"
        if not pair.failed:
            return f"benign so far: {both} in {pair.executions:,} executions, and none of these failed"
        alone = ", and no execution without it" if pair.failed == self._failed else ""
        return f"{pair.failed:,} of {pair.executions:,} executions with it failed{alone}"


def _locks(access: Access, run: FastTrack, names: Names) -> tuple[str, ...]:
    return tuple(sorted({names.lock(*run.locks[lock]) for lock in access.held}))


def _callers(frame: FrameType | None) -> tuple[str, ...]:
    """The frames of the program, the innermost first."""
    found: list[str] = []
    while frame is not None and len(found) < _FRAMES:
        code = frame.f_code
        if not is_machinery(code.co_filename):
            module = str(frame.f_globals.get("__name__", "")).rpartition(".")[2]
            found.append(f"{module}:{frame.f_lineno} ({code.co_qualname})")
        frame = frame.f_back
    return tuple(found)
