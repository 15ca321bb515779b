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
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.targets.model.scenario import Scenario

FOR_ONE_TASK = 1 / 6
"""The part of the executions that goes to what is left of one task."""
FIRST_TURN = 7
"""Systematic schedules of a pair in its first turn; twice as many in each further one. Places come by halving,
so that a defect with a wide window shows among the first."""
MOST = 1000
"""Schedules of a program in one turn, whatever kind."""

Explore = Callable[[Scenario, Scheduler, int], int]
"""Runs a program under a scheduler so many times at most; how many executions it were."""


@dataclass(slots=True)
class _Unfinished:
    scenario: Scenario
    scheduler: SmallProgram
    is_first: bool = False
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
    _left: int = 0
    _unfinished: deque[_Unfinished] = field(default_factory=deque)
    _essentials: Iterator[Scenario] | None = None
    _singles: Iterator[Scenario] | None = None
    _pairs: Iterator[tuple[int, Scenario]] | None = None
    _failing: Iterator[Scenario] | None = None

    def __post_init__(self) -> None:
        scope = self.scope
        self._left = scope.count_pairs(self.share)
        self._essentials, self._singles = self._mine(scope.essentials()), self._mine(scope.singles())
        self._pairs = scope.pairs(self.share)
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
            return self._next_pair(explore)
        for _ in range(3):
            self._turns += 1
            kind = self._turns % 3
            if kind == 0 and self._unfinished:
                self._try(self._unfinished.popleft(), explore)
                return True
            if kind == 1 and self._next_pair(explore):
                return True
            scenario = _next(self._failing) if kind == 2 else None
            if scenario is not None:
                self._try(_Unfinished(scenario, self.schedules_of()), explore)
                return True
        return False

    def _next_pair(self, explore: Explore) -> bool:
        number, scenario = next(self._pairs or iter(()), (0, None))
        if scenario is None:
            self.had_their_turn = True
            return False
        is_first = number == 0
        self.begun += is_first
        self._left -= is_first
        self.had_their_turn = self._left <= 0
        self._try(_Unfinished(scenario, self.schedules_of(), is_first), explore)
        return True

    def _step_of_rest(self, explore: Explore) -> bool:
        scenario = _next(self._singles)
        if scenario is None:
            return False
        self._run(scenario, explore)
        return True

    def _try(self, pair: _Unfinished, explore: Explore) -> None:
        pair.scheduler.allowed = pair.turn
        made = explore(pair.scenario, pair.scheduler, MOST)
        self.executions += made
        if not made and not pair.scheduler.done:
            # It cannot start, or the search is over.
            plainer = self.scope.plainer(pair.scenario) if pair.is_first else None
            if plainer is not None:
                pair.scenario = plainer
                made = explore(plainer, pair.scheduler, MOST)
                self.executions += made
            if not made:
                self.begun -= pair.is_first
                return
        if not pair.scheduler.done:
            pair.turn *= 2
            self._unfinished.append(pair)
        elif pair.is_first:
            self.swept += 1
            self.apart += not pair.scheduler.met

    def told(self) -> dict[str, int]:
        """The pairs in words, and how many."""
        counts = {
            "pairs of operations were run under all schedules with one preemption at a lock or call": self.swept,
            "of these do not meet": self.apart,
            "pairs of operations had a part of these schedules": self.begun - self.swept,
            "pairs of operations were not begun: give more --seconds": max(0, self._left),
        }
        return {words: count for words, count in counts.items() if count}


def _next(programs: Iterator[Scenario] | None) -> Scenario | None:
    return None if programs is None else next(programs, None)
