"""The systematic schedules of a pair of Nova's operations find what the catalogue has between two of them.

A pair that is swept to its end counts as tried: so nothing may be left out as equivalent that is not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.one_change_sweep import OneChangeSweep
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.small_program import SmallProgram
from semafuzz.harness.schedulers.stale_pairs import StalePairs
from semafuzz.harness.search.exploration import Exploration
from semafuzz.strategies.fuzz.defect_check import scenarios_of
from semafuzz.targets import find_target
from semafuzz.targets.model.catalogue import Catalogued, Defect
from semafuzz.targets.model.trace_origin import origin_of

WITHIN = 250
"""Schedules; how many it takes depends on the order of sets, too."""
BY_TWO_CHANGES = {"functions-saved-one-by-one"}
"""What takes a second change of priority."""


def findings() -> list[Defect]:
    """Those of Nova 34.0.0 that need two tasks and no fault."""
    nova = find_target("nova")
    assert isinstance(nova, Catalogued)
    found = [one for one in nova.defects() if len(one.content.tasks) == 2 and one.fault is None]
    return [one for one in found if "34.0.0" in one.affected]


class UntilFound(SmallProgram):
    """Ends with the first failure that is called ``shows``."""

    shows = ""
    found = False

    def end(self, outcome: Outcome) -> None:
        super().end(outcome)
        self.found = self.found or any(self.shows in f"{one.error_type} {one.message}" for one in outcome.failures)

    def begin(self, execution: int) -> bool:
        return not self.found and super().begin(execution)


@pytest.mark.nova
def test_every_finding_between_two_operations_is_met(tmp_path: Path) -> None:
    nova, known = find_target("nova"), findings()
    left_out, missed = [], []
    with nova.open("34.0.0") as opened, controlled_session(opened.modules) as laboratory:
        for defect in (one for one in known if one.name not in BY_TWO_CHANGES):
            scenario = next(scenarios_of(defect, nova, faithful=False))
            sweep = OneChangeSweep(nova.changes_nothing_for_others, sees_memory=True)
            tears = StalePairs(nova.changes_nothing_for_others, nova.may_write, nova.may_read)
            scheduler = UntilFound(sweep, tears, RandomWalk(0))
            scheduler.shows, scheduler.allowed = defect.shows, WITHIN
            search = Exploration(
                opened.program(scenario), scheduler, laboratory, origin=origin_of(nova, opened, scenario),
                schedules=WITHIN, seconds=600, stop_on_first=False, folder=tmp_path, shrink_budget=0,
            )  # fmt: skip
            search.run()
            if not scheduler.found:
                missed.append(defect.name)
            if not scheduler.found and scheduler.done:
                left_out.append(defect.name)
    assert len(known) >= 15
    assert (left_out, missed) == ([], [])
