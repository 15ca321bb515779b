"""Schedulers by the names that the command line takes."""

from __future__ import annotations

from collections.abc import Callable

from semafuzz.harness.errors import UsageError
from semafuzz.harness.schedulers.dpor.scheduler import DPOR
from semafuzz.harness.schedulers.exhaustive import AllSchedules
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.pct import PCT
from semafuzz.harness.schedulers.portfolio import Portfolio
from semafuzz.harness.schedulers.pos import POS
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.recheck import Recheck
from semafuzz.harness.schedulers.rff import RFF
from semafuzz.harness.schedulers.stale_pairs import StalePairs
from semafuzz.harness.schedulers.surw import SURW
from semafuzz.harness.schedulers.windows import Windows

SCHEDULERS: dict[str, tuple[str, Callable[[int], Scheduler]]] = {
    "portfolio": ("several of the others in turn (the default)", lambda seed: Portfolio(seed)),
    "random": ("random walk: any enabled task at every point", lambda seed: RandomWalk(seed)),
    "pct2": ("random priorities, 1 change point: bugs of depth 2", lambda seed: PCT(seed, 2)),
    "pct3": ("random priorities, 2 change points: bugs of depth 3", lambda seed: PCT(seed, 3)),
    "pct5": ("random priorities, 4 change points", lambda seed: PCT(seed, 5)),
    "windows": (
        "one task held where tasks meet, one of another kind goes through",
        lambda seed: Windows(seed),
    ),
    "surw": ("random walk, uniform over the orders at one location's places", lambda seed: SURW(seed)),
    "pos": ("random priorities for operations, drawn anew after a conflict", lambda seed: POS(seed)),
    "rff": ("pairs of a write and the read that sees it, asked for and changed", lambda seed: RFF(seed)),
    "dpor": ("every Mazurkiewicz trace once, for small programs; can end as complete", lambda seed: DPOR(seed)),
    "exhaustive": ("the same as dpor", lambda seed: DPOR(seed)),
    "all-schedules": ("every schedule once, for very small programs", lambda seed: AllSchedules(seed)),
    "sweep": ("one change of priority, at each lock and call in turn, none at accesses", lambda seed: OneChangeSweep()),
    "torn-reads": (
        "a writer stopped between two reads of another's section, at each call in turn",
        lambda seed: StalePairs(),
    ),
    "recheck": ("random walk, each schedule run twice and compared", lambda seed: Recheck(RandomWalk(seed))),
}


def make_scheduler(name: str, seed: int) -> Scheduler:
    """The scheduler with this name; UsageError where there is none."""
    if name == "pct":
        name = "pct3"
    found = SCHEDULERS.get(name)
    if found is None:
        raise UsageError(f"unknown scheduler {name!r}; choose one of {', '.join(SCHEDULERS)}")
    return found[1](seed)
