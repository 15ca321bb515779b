"""The small programs of a search, each kind with its share of the executions.

First come the essentials; then pairs of operations, and beside them what is left of one task. A pair
gets a few schedules in its turn, and more when all had one: what does not meet is done at once, and what
meets has been left at places all over. Once all pairs had their turn, unfinished ones, pairs that are
described otherwise and pairs with a fault take turns.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.schedulers.small_program import SmallProgram
from semafuzz.strategies.fuzz.small_scope import PASSES, SmallScope
from semafuzz.targets.model.scenario import Scenario

FOR_ONE_TASK = 1 / 6
"""The part of the executions that goes to what is left of one task."""
FIRST_TURN = 12
"""Schedules of a pair in its first turn; twice as many in each further one."""

Explore = Callable[[Scenario, Scheduler, int], int]
"""Runs a program under a scheduler so many times at most; how many executions it were."""


@dataclass(slots=True)
class _Unfinished:
    scenario: Scenario
    scheduler: SmallProgram
    turn: int = FIRST_TURN


@dataclass(slots=True)
class SmallPrograms:
    """``share``: of each kind, each ``share[1]``-th program, from the one with number ``share[0]``.
    ``schedules_of`` makes what is tried of a program of several tasks.

    ``executions``: made so far. ``begun``, ``swept``, ``apart``: pairs of the first pass that had a turn, whose
    schedules were made to the end, and of these, whose tasks do not meet.
    """

    scope: SmallScope
    share: tuple[int, int]
    schedules_of: Callable[[], SmallProgram]
    executions: int = 0
    begun: int = 0
    swept: int = 0
    apart: int = 0
    had_their_turn: bool = False
    _of_one_task: int = 0
    _turns: int = 0
    _unfinished: deque[_Unfinished] = field(default_factory=deque)
    _essentials: Iterator[Scenario] | None = None
    _singles: Iterator[Scenario] | None = None
    _first: Iterator[Scenario] | None = None
    _later: Iterator[Scenario] | None = None
    _failing: Iterator[Scenario] | None = None

    def __post_init__(self) -> None:
        scope = self.scope
        self._essentials, self._singles = self._mine(scope.essentials()), self._mine(scope.singles())
        self._first = self._mine(scope.pairs(range(1)))
        self._later = self._mine(scope.pairs(range(1, PASSES)))
        self._failing = self._mine(scope.failing_pairs())

    def _mine(self, programs: Iterator[Scenario]) -> Iterator[Scenario]:
        return itertools.islice(programs, self.share[0], None, self.share[1])

    def step(self, explore: Explore) -> bool:
        """One program more; False when there is none left."""
        scenario = _next(self._essentials)
        if scenario is not None:
            self._run(scenario, explore)
            return True
        if self._of_one_task <= FOR_ONE_TASK * self.executions:
            scenario = _next(self._singles)
            if scenario is not None:
                self._run(scenario, explore)
                return True
        return self._step_of_pairs(explore) or self._step_of_rest(explore)

    def _run(self, scenario: Scenario, explore: Explore) -> None:
        made = explore(scenario, SerialOrder((0,)), 1)
        self.executions += made
        self._of_one_task += made

    def _step_of_pairs(self, explore: Explore) -> bool:
        if not self.had_their_turn:
            scenario = _next(self._first)
            if scenario is not None:
                self.begun += 1
                self._try(_Unfinished(scenario, self.schedules_of()), explore, counts=True)
                return True
            self.had_their_turn = True
        for _ in range(3):
            self._turns += 1
            if self._turns % 3 == 0 and self._unfinished:
                self._try(self._unfinished.popleft(), explore, counts=True)
                return True
            scenario = _next((self._later, self._failing)[self._turns % 2]) if self._turns % 3 else None
            if scenario is not None:
                self._try(_Unfinished(scenario, self.schedules_of()), explore)
                return True
        return False

    def _step_of_rest(self, explore: Explore) -> bool:
        scenario = _next(self._singles)
        if scenario is None:
            return False
        self._run(scenario, explore)
        return True

    def _try(self, pair: _Unfinished, explore: Explore, counts: bool = False) -> None:
        self.executions += explore(pair.scenario, pair.scheduler, pair.turn)
        if not pair.scheduler.done:
            pair.turn *= 2
            if counts:
                self._unfinished.append(pair)
        elif counts:
            self.swept += 1
            self.apart += not pair.scheduler.met

    def told(self) -> dict[str, int]:
        """The pairs in words, and how many."""
        left = sum(1 for _ in self._first or ()) if not self.had_their_turn else 0
        counts = {
            "pairs of operations were run under all schedules with one preemption at a lock or call": self.swept,
            "of these do not meet": self.apart,
            "pairs of operations had a part of these schedules": self.begun - self.swept,
            "pairs of operations were not begun: give more --seconds": left,
        }
        return {words: count for words, count in counts.items() if count}


def _next(programs: Iterator[Scenario] | None) -> Scenario | None:
    return None if programs is None else next(programs, None)
