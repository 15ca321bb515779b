"""The smallest scenario that fails alike: the program half of shrinking.

First tasks, operations, faults and options are left out one at a time: that costs the
fewest executions. Then Hypothesis shrinks what it generated: arguments, instances with
their roles and descriptions, where faults come, one operation in place of others. At
last what its strategies cannot say: one task alone, two tasks in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.strategies.generate.hypothesis_runs import shrink
from semafuzz.strategies.generate.scenarios import scenarios
from semafuzz.targets.model.legality import contains, joined_scenarios, renumbered, smaller_scenarios
from semafuzz.targets.model.protocol import OperationInfo, Target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.scenario_edits import moved_faults, simpler_values, under_defaults
from semafuzz.targets.model.scenario_order import key_of, size_of

IDLE = 100
"""Questions in a row without anything simpler, after which Hypothesis is stopped."""
CALLS = 8
"""How many calls before a fault an operation may have made that is left out."""

Seek = Callable[[Scenario], Outcome | None]
"""Runs a scenario under some schedules; a run that fails alike, or None."""

Step = Callable[[Scenario, Sequence[OperationInfo]], Iterable[Scenario]]
"""What is one step away from a scenario."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a generated scenario came from: the ``number``-th (from 1) of the feed
    with this ``seed`` and ``most``."""

    seed: int | str
    most: int
    number: int


@dataclass(slots=True)
class ProgramShrinker:
    """Makes one failing scenario small.

    ``enough`` says when the budget is used up; a scenario not yet tried counts as one
    that does not fail from then on. Only operations that the failing scenario has are
    tried: with others it would most often be another defect with the same mark.
    """

    target: Target
    seek: Seek
    enough: Callable[[], bool]
    _names: frozenset[str] = frozenset()
    _known: dict[bytes, tuple[Scenario, Outcome] | None] = field(default_factory=dict)
    _answers: dict[bytes, bool] = field(default_factory=dict)
    _idle: int = 0

    def reduce(self, scenario: Scenario, outcome: Outcome, source: Source | None) -> tuple[Scenario, Outcome]:
        """The simplest scenario found that fails as ``outcome``, a run of ``scenario``,
        did; and a run of it. ``source``: where Hypothesis made it."""
        self._names = names_of(scenario)
        self._known[key_of(scenario)] = (scenario, outcome)
        self._answers[key_of(scenario)] = True
        self._descend(smaller_scenarios)
        if source is not None:
            strategy = scenarios(self.target)
            shrink(strategy, source.number, self._answer, seed=source.seed, most=source.most, enough=self._tired)
        # Last, since the scenario does not contain what comes of these.
        self._descend(smaller_scenarios, joined_scenarios, self._simpler)
        self._fails(renumbered(self._smallest()[0]))
        return self._smallest()

    def _fails(self, scenario: Scenario) -> bool:
        """Whether the scenario fails alike, as far as tried."""
        key = key_of(scenario)
        if key not in self._known:
            if self.enough():
                return False
            outcome = self.seek(scenario)
            self._known[key] = None if outcome is None else (scenario, outcome)
        return self._known[key] is not None

    def _answer(self, scenario: Scenario) -> bool:
        """What Hypothesis is told, the same every time.

        What contains the smallest failing scenario is taken to fail too, and what is
        larger and does not is left alone: so the way down to its size costs nothing.
        """
        key = key_of(scenario)
        self._idle += 1
        if key not in self._answers:
            smallest = self._smallest()[0]
            if contains(scenario, smallest):
                self._answers[key] = True
            elif operations_of(scenario) > operations_of(smallest) or not names_of(scenario) <= self._names:
                self._answers[key] = False
            else:
                self._answers[key] = self._fails(scenario)
                if self._smallest()[0] is not smallest:
                    self._idle = 0
        return self._answers[key]

    def _tired(self) -> bool:
        """Whether Hypothesis has asked for long without coming to anything simpler."""
        return self._idle >= IDLE or self.enough()

    def _smallest(self) -> tuple[Scenario, Outcome]:
        """The simplest that failed so far, and a run of it."""
        failing = [found for found in self._known.values() if found is not None]
        return min(failing, key=lambda found: size_of(found[0], self.target))

    def _simpler(self, scenario: Scenario, table: Sequence[OperationInfo]) -> Iterator[Scenario]:
        yield from simpler_values(scenario, self.target)
        yield from under_defaults(scenario, self.target)

    def _moved(self, smaller: Scenario, scenario: Scenario) -> list[Scenario]:
        # An operation that is left out takes all its calls with it.
        return moved_faults(smaller, CALLS if operations_of(smaller) < operations_of(scenario) else 1)

    def _descend(self, *steps: Step) -> None:
        """Take steps to something simpler for as long as one fails."""
        table = self.target.operations()
        progress = True
        while progress:
            scenario, _ = self._smallest()
            size = size_of(scenario, self.target)
            steps_down = (smaller for step in steps for smaller in step(scenario, table))
            nearby = (one for smaller in steps_down for one in (smaller, *self._moved(smaller, scenario)))
            progress = any(self._fails(one) for one in nearby if size_of(one, self.target) < size)


def names_of(scenario: Scenario) -> frozenset[str]:
    """The operations that a scenario has."""
    return frozenset(one.name for task in scenario.content.tasks for one in task)


def operations_of(scenario: Scenario) -> int:
    """How many operations a scenario has."""
    return sum(map(len, scenario.content.tasks))
