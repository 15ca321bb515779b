"""What a machine goes on past: failures that the target's catalogue has.

A failure is recognised by what it is called and by the operations of the program, or by the functions
where the tasks met; see :class:`semafuzz.targets.model.catalogue.Resemblance`. Another defect that
fails alike there goes unseen with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.search.racing_pair import pair_of, racing_pairs
from semafuzz.harness.search.recorder import has_failure, matching
from semafuzz.harness.shrink.schedule import shrink_schedule
from semafuzz.harness.traces.signature import failure_identity, site_identity
from semafuzz.strategies.machines.session import Session
from semafuzz.targets.model.catalogue import recognised_in
from semafuzz.targets.model.protocol import Target
from semafuzz.targets.model.scenario import Scenario

SETTLING = 150
"""Executions at most for taking out the preemptions that a failure does not need."""


class KnownDefects:
    """Recognises the failures of one machine's run, and counts them in its session."""

    def __init__(self, target: Target, session: Session) -> None:
        self._target = target
        self._session = session

    def include(self, failure: Failure, scenario: Scenario, outcome: Outcome) -> bool:
        """Whether the failure is known as it stands."""
        return bool(self._session.defects) and self._recognise(failure, scenario, pair_of(outcome, failure).sites)

    def _recognise(self, failure: Failure, scenario: Scenario, sites: Iterable[int]) -> bool:
        session, identity, pair = self._session, failure_identity(failure), map(site_identity, sites)
        found = recognised_in(session.defects, identity, scenario, self._target, session.opened.release, pair)
        if found is not None:
            session.passed_over[found.name] += 1
        return found is not None

    def explain(self, failure: Failure, scenario: Scenario, outcome: Outcome) -> bool:
        """Whether the failure is known once its schedule has no preemption that it does not need: only then its
        racing pairs say what it comes of."""
        session = self._session
        if not session.defects:
            return False
        same, program = failure_identity(failure), session.opened.program(scenario)
        smaller = shrink_schedule(program, outcome, session.searching, has_failure(same), budget=SETTLING).outcome
        found = matching(smaller, same)
        pairs = (pair_of(smaller, found), *racing_pairs(smaller))
        return self._recognise(found, scenario, {site for pair in pairs for site in pair.sites})
