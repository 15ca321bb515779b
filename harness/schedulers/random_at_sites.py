"""Random walk that leaves a running task at a few places only.

For asking again and again whether a failure shows, once it is known where its
preemptions were: a handful of executions then tries most of what matters. Blind to
every failure that needs a preemption anywhere else, so never a search of its own.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class RandomAtSites(Scheduler):
    """Any enabled task at ``sites``, and where the running one cannot go on or
    yields; elsewhere it goes on."""

    name = "focused"

    def __init__(self, sites: Collection[int], seed: int = 0) -> None:
        self._sites = frozenset(sites)
        self._generator = random.Random(seed)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The running task, or at one of the places any."""
        if current is not None and current.pending[0] != op.YIELD and current.pending[3] not in self._sites:
            for task in enabled:
                if task is current:
                    return task
        return enabled[int(self._generator.random() * len(enabled))]


def places_of_preemptions(outcome: Outcome) -> frozenset[int]:
    """The sites at which a run left tasks that could have gone on."""
    return frozenset(
        decision.pending[decision.enabled.index(decision.current)][3]
        for decision in outcome.decisions
        if decision.preemption
    )
