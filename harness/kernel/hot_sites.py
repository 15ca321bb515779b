"""Hot sites: the code places that are scheduling points, learned from runs.

A site becomes hot where, in some run, it touched a location that another task could touch
at that time, one of the two writing. What starts and joins of threads order is no such touch; what
locks order is one, since another schedule may order it otherwise. The set only grows.
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.locations import ANY_ITEM, Location, Locations, locations
from semafuzz.harness.kernel.task import RawEvent


def mark_scheduling_points(events: Sequence[RawEvent], hot: bytearray, table: Locations | None = None) -> bool:
    """Mark the sites of conflicting locations in ``hot``; True where it grew.

    A lock's release commutes with everything other tasks can then do, unless
    some task tries the lock without waiting for ever: only then is it marked.
    ``table``: the locations of these events, where they are known.
    """
    table = locations(events) if table is None else table
    grew = False
    releases: dict[int, bool] = {}
    for key, location in table.items():
        if key[1] is ANY_ITEM:
            continue
        sites = table.meeting_sites(key)
        for site in sites:
            if not hot[site] and _is_worth_a_point(site, location, releases, events):
                hot[site] = 1
                grew = True
    return grew


def _is_worth_a_point(site: int, location: Location, releases: dict[int, bool], events: Sequence[RawEvent]) -> bool:
    if location.tried:
        return True
    if not releases:
        releases[-1] = True
        for kind, _, _, _, where in events:
            if kind == op.RELEASE:
                releases[where] = True
    return site not in releases
