"""Whether a failing schedule can happen on CPython with the GIL: what everybody asks first."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from semafuzz.harness.kernel.gil import gives_way_between
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.shrink.size import interruptions
from semafuzz.reports.run_view.interleaving import location_of, shared_locations
from semafuzz.reports.run_view.sources import file_of


def gil_label(outcome: Outcome) -> str:
    """A sentence: it can happen there, or between which places the schedule switches where that interpreter does not.

    It is said of this schedule: another one of the same defect may do with other switches, which ``--model gil``
    searches. What :mod:`semafuzz.harness.kernel.gil` misses is missed here.
    """
    held = next(_held_switches(outcome), None)
    version = ".".join(map(str, sys.version_info[:2]))
    if held is None:
        return f"Can happen on CPython {version} with the GIL."
    before, after = (f"{file_of(SITES[site])}:{SITES[site].line}" for site in held)
    where = f"within {after}" if before == after else f"between {before} and {after}"
    return (
        f"Needs a switch {where}, where CPython {version} with the GIL does not give way: free-threaded builds do. "
        "--model gil searches for schedules without such a switch."
    )


def _held_switches(outcome: Outcome) -> Iterator[tuple[int, int]]:
    """The accesses around each preemption at which the interpreter does not switch."""
    shared = shared_locations(outcome.events, [])
    for decision in interruptions(outcome):
        after = decision.pending[decision.enabled.index(decision.current)][3]
        for number in range(decision.step - 1, -1, -1):
            event = outcome.events[number]
            if event[1].index != decision.current or number in outcome.noted:
                continue
            if gives_way_between(event[4], after):
                break
            if location_of(event) in shared:
                yield event[4], after
                break
            # Nobody else sees this access: a switch before it is as good.
            after = event[4]
