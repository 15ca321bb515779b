"""What detectors suspect is tried: a search is made for each of their suspicions, and only a failure counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.schedulers.postponing import Postponing
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.search.result import Result

SCHEDULES = 50
"""Tried for each suspicion."""
MOST = 10
"""Suspicions of a detector that are tried."""

Explore = Callable[[Scheduler, int], Result]
"""Makes a search of its own with a scheduler, in so many schedules at most."""


def try_suspects(
    result: Result, detectors: Sequence[Detector], explore: Explore, deadline: Deadline | None = None
) -> None:
    """Where the search has found nothing and did not cover everything, try what detectors suspect; a failure is
    the search's. After the ``deadline`` nothing is begun."""
    covered = result.verdict == "complete"
    for detector in detectors:
        for suspect in detector.suspects(covered=covered)[:MOST]:
            if result.verdict in ("found", "uncontrolled") or (deadline is not None and deadline.passed):
                return
            made = explore(Postponing(suspect.sites, result.seed), SCHEDULES)
            suspect.told(made.schedules)
            if made.failures:
                result.first_failure = result.schedules + (made.first_failure or 1)
                result.failures += made.failures
                result.verdict = "found"
            result.schedules += made.schedules
