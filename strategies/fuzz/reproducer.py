"""Reproducer: the schedules in which a smaller scenario is tried for the same failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.runs.session import ControlledSession
from semafuzz.harness.schedulers.bounded import Bounded, BoundedAt
from semafuzz.harness.schedulers.pct import PCT
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.random_at_sites import RandomAtSites, places_of_preemptions
from semafuzz.harness.shrink.schedule import preemptions, shrink_schedule
from semafuzz.targets.model.protocol import OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario

EFFORT = {"error": 300_000, "warning": 50_000, "note": 25_000}
"""Events, over all executions, for making one program small, by the severity of what it shows."""
FOCUSED, ANYWHERE = 6, 3
"""Schedules that switch only where it mattered so far, and schedules with few
preemptions anywhere."""
SHARE = 16
"""Which part of the effort systematic searches may take for one scenario: one in so many.
All schedules with as many preemptions as were needed so far, at their places, are
begun; all with one preemption anywhere are run where they cost no more than that."""
OVERHEAD = 200
"""Events that an execution costs beside its own."""
REPEATS = 3
"""Schedules in a row that were had before, after which there is hardly another."""
FIRST_STEPS, NEXT_STEPS, FEWEST_STEPS = 30, 10, 5
"""Executions for finding out which preemptions matter, before the program is made
small and whenever it has become smaller; fewer where they cost more than their share."""


@dataclass(slots=True)
class Reproducer:
    """Asks smaller scenarios whether they fail alike, with the fewest executions.

    The first switch only where preemptions were needed so far; then come, for
    small programs, all with one preemption, and some with few preemptions anywhere.
    ``effort``: events that it may take in all, of which ``used`` are gone; ``deadline``:
    when to end at the latest. ``executions``: made so far. A target may say what an operation
    of it takes beside its events, in events, as its ``operation_cost``.
    """

    target: Target
    opened: OpenTarget
    laboratory: ControlledSession
    setting: ExecutionConfig
    same: Callable[[Outcome], bool]
    effort: int
    deadline: Deadline
    used: int = 0
    executions: int = 0
    _sites: frozenset[int] = frozenset()
    _needed: int = 0

    def enough(self) -> bool:
        """Whether the effort or the time is used up."""
        return self.used >= self.effort or self.deadline.passed

    def focus(self, scenario: Scenario, outcome: Outcome, budget: int = FIRST_STEPS) -> Outcome:
        """Learn which preemptions of a failing run matter; the run without the others."""
        program = self.opened.program(scenario)
        each = self.cost_of(scenario, outcome)
        fewer = max(FEWEST_STEPS, min(budget, self.effort // (SHARE * each)))
        shrunk = shrink_schedule(program, outcome, self.setting, self.same, budget=fewer)
        self.used += shrunk.executions * each
        self.executions += shrunk.executions
        self._sites = places_of_preemptions(shrunk.outcome)
        self._needed = preemptions(shrunk.outcome)
        return shrunk.outcome

    def try_reproduce(self, scenario: Scenario) -> Outcome | None:
        """A run of the scenario that fails alike, or None where none was met. What the target refuses does not fail."""
        try:
            return self._seek(scenario)
        except UsageError:
            return None

    def _seek(self, scenario: Scenario) -> Outcome | None:
        program = self.opened.program(scenario)
        overhead = self._overhead(scenario)
        seed, before = self.setting.seed, self.used
        made, decisions = self._under(program, RandomAtSites(self._sites, seed), FOCUSED, overhead)
        if made is None and decisions:
            each = max(overhead, (self.used - before) // FOCUSED)
            affordable = self.effort // (SHARE * each)
            if self._needed:
                made, _ = self._under(program, BoundedAt(self._needed, self._sites), affordable, overhead)
            schedules = decisions * len(scenario.content.tasks)
            if made is None and schedules <= affordable:
                made, _ = self._under(program, Bounded(1), 2 * schedules, overhead)
        if made is None and decisions:
            made, _ = self._under(program, PCT(seed, 2), ANYWHERE, overhead)
        return None if made is None else self.focus(scenario, made, NEXT_STEPS)

    def cost_of(self, scenario: Scenario, outcome: Outcome) -> int:
        """What a run costs, in events."""
        return self._overhead(scenario) + len(outcome.events)

    def _overhead(self, scenario: Scenario) -> int:
        """What a run of the scenario costs beside its events, in events."""
        return OVERHEAD + self.target.operation_cost * sum(map(len, scenario.content.tasks))

    def _under(self, program: Program, scheduler: Scheduler, most: int, overhead: int) -> tuple[Outcome | None, int]:
        """A run under a scheduler that fails alike, or None; and how many decisions the
        last run had."""
        paths: set[tuple[int, ...]] = set()
        path: tuple[int, ...] = ()
        repeats = 0
        for number in range(most):
            if not scheduler.begin(number):
                break
            made = execute(program, scheduler, self.setting)
            scheduler.end(made)
            self.laboratory.control.between_executions()
            self.used += overhead + len(made.events)
            self.executions += 1
            if self.same(made):
                return made, len(made.raw_decisions)
            path = made.path()
            repeats = repeats + 1 if path in paths else 0
            paths.add(path)
            if repeats == REPEATS or not path:
                break
        return None, len(path)
