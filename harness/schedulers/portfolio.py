"""A portfolio: several schedulers share the executions, so that no blind spot decides.

The shares start as they did best on the field's benchmark programs (docs/schedulers.md has the table) and
move with what each member still finds: who goes on making happens-before classes and reads-from pairs that
nobody made before gets more of the turns, who repeats what is known gets fewer. No share falls under a
fifth of where it started, since a failure is not always where the new classes are.

A part of the turns goes to the reduction that makes each Mazurkiewicz trace once: where the program is small,
it comes to its end, and the search is over with a proof, if nothing took part unseen. That part is small at
first, since most failures show sooner elsewhere, and grows as the others repeat what is known.

Windows, SURW and the reduction go by accesses to data. Where a search does not hand out its scheduling points
(trio, eventlet), random walks and priorities have equal shares, and every second turn goes to the enumeration of all
schedules, as long as there seem to be few.

The turns are dealt out by smooth weighted round robin, so that equal seeds give equal searches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.dpor.scheduler import DPOR
from semafuzz.harness.schedulers.exhaustive import AllSchedules
from semafuzz.harness.schedulers.lock_step import LockStep
from semafuzz.harness.schedulers.pct import PCT
from semafuzz.harness.schedulers.pos import POS
from semafuzz.harness.schedulers.profile import Profile
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.schedulers.surw import SURW
from semafuzz.harness.schedulers.windows import Windows

_LEAST: Final = 0.25
"""What a member that finds nothing new counts, beside one whose every execution does."""
_MEMORY: Final = 0.1
"""Weight of the newest execution in what a member found of late."""


_ALONE: Final = 20
"""Executions before the reduction has its first turn, where they are not short."""
_SHORT: Final = 80
"""Events of an execution up to which a handful of traces may be all that there is."""
_LONG: Final = 1_000
"""Events of an execution beyond which a reduction has no prospect of an end, and costs much."""
_MOST_WORK: Final = 30_000
"""The same in races times steps."""


_MOST_OF_ALL: Final = 100_000
"""Schedules that there seem to be, up to which all of them are tried."""
_AHEAD: Final = 60.0
"""Credit of the windows at the start: some turns in a row."""


class _Member:
    """A scheduler, its share at the start, and what it found of late (0 nothing, 1 always something)."""

    __slots__ = ("base", "credit", "found", "scheduler")

    def __init__(self, scheduler: Scheduler, base: float) -> None:
        self.scheduler = scheduler
        self.base = base
        self.found = 1.0
        self.credit = 0.0

    @property
    def weight(self) -> float:
        return self.base * (_LEAST + self.found)


class Portfolio(Scheduler):
    """Deals executions out to schedulers. ``members``: these in equal shares, in place of the usual ones.

    The first execution goes to the lock step, under which sections overlap most.
    """

    name = "portfolio"
    static_points = True

    def __init__(self, seed: int = 0, members: Sequence[Scheduler] | None = None) -> None:
        self._profile = Profile()
        if members is None:
            profile = self._profile
            self._members = [
                _Member(Windows(seed, profile), 8),
                _Member(SURW(seed, profile), 5),
                _Member(RandomWalk(seed), 1),
                _Member(POS(seed), 1),
                _Member(PCT(seed, 3), 1),
            ]
            # Each window is taken once before any is taken again, so that its first turns are its best.
            self._members[0].credit = _AHEAD
            self._blind = [
                _Member(one, 1)
                for one in (RandomWalk(seed), PCT(seed, 2), PCT(seed, 3), RandomWalk(seed + 1), PCT(seed, 4))
            ]
            self._first: Scheduler | None = LockStep()
            self._reduction: DPOR | None = DPOR(most_work=_MOST_WORK)
            self._all: AllSchedules | None = None
            self._all_early: bool | None = None
        else:
            self._members = [_Member(scheduler, 1) for scheduler in members]
            self._blind = []
            self._first = None
            self._reduction = None
            self._all = None
            self._all_early = None
        self._reduced = 0.0
        self._begun = False
        self._sighted = False
        self._limited = False
        self._length = _LONG
        self._turn = self._members[0]
        self._chosen = self._turn.scheduler
        self._news = False

    def begin(self, execution: int) -> bool:
        """Hand the execution to who is next."""
        if execution == 0 and self._blind and not self._sighted:
            self._members, self._first, self._reduction = self._blind, None, None
            self._turn = self._members[0]
            self._all = AllSchedules()
        if execution == 0 and self._first is not None:
            self._chosen = self._first
            return self._first.begin(0)
        if self._is_for_all(execution):
            assert self._all is not None
            self._chosen = self._all
            if self._all.begin(execution):
                return True
            self.covers_all = True
            return False
        if self._is_for_the_reduction(execution):
            assert self._reduction is not None
            self._chosen = self._reduction
            self._reduction.early_timeouts = self.early_timeouts
            if self._reduction.begin(execution):
                return True
            self._reduction = None if self._limited else self._reduction
            if self._reduction is not None:
                self.covers_all = True
                return False
        total = 0.0
        for member in self._members:
            weight = member.weight
            member.credit += weight
            total += weight
        self._turn = max(self._members, key=_credit)
        self._turn.credit -= total
        self._chosen = self._turn.scheduler
        return self._chosen.begin(execution)

    def _is_for_all(self, execution: int) -> bool:
        """Whether the enumeration has this turn: every second one, under one rule for time-outs all the time."""
        if self._all is None or not execution % 2:
            return False
        if self._all_early is None or self.all_early:
            self._all_early = self.early_timeouts
        return self._all_early == self.early_timeouts

    def _is_for_the_reduction(self, execution: int) -> bool:
        """Whether it has this turn: one in four, or up to three in four where nobody else finds anything new."""
        reduction = self._reduction
        if (
            reduction is None
            or not reduction.points
            or reduction.irregular
            or execution < (2 if self._length <= _SHORT else _ALONE)
        ):
            return False
        if self._begun and self.early_timeouts != reduction.early_timeouts and not self.all_early:
            # Its traces are those without early time-outs, or all with them; it cannot change at every turn.
            return False
        found = sum(member.found * member.base for member in self._members) / sum(one.base for one in self._members)
        self._reduced += 0.75 - (0.5 if execution >= _ALONE else 0.25) * found
        if self._reduced < 1.0:
            return False
        self._reduced -= 1.0
        self._begun = True
        return True

    def use_points(self, points: bytearray) -> None:
        """Show them to every member."""
        self._sighted = True
        for member in self._members:
            member.scheduler.use_points(points)
        if self._reduction is not None:
            self._reduction.use_points(points)

    def watch(self, outcome: Outcome) -> None:
        """Show the record to who chooses."""
        self._chosen.watch(outcome)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """What the member in turn chooses."""
        return self._chosen.choose(enabled, current, step)

    def end(self, outcome: Outcome) -> None:
        """Let every member learn from the execution."""
        self._news = self._profile.add(outcome)
        self._limited = self._limited or bool(outcome.limits)
        if self._all is not None:
            if self._chosen is self._all:
                self._all.end(outcome)
            if self._limited or self._all.seem > _MOST_OF_ALL:
                self._all = None
        if self._reduction is not None:
            if self._chosen is self._reduction:
                self._reduction.end(outcome)
                self.withheld = self._reduction.withheld
            self._length = len(outcome.events)
            if self._length > _LONG or any(kind == "random" for kind, _ in outcome.limits):
                self._reduction = None
        for member in self._members:
            if member.scheduler is self._chosen:
                member.scheduler.end(outcome)
            else:
                member.scheduler.overhear(outcome)

    def restart(self) -> None:
        """Tell every member."""
        self.covers_all = False
        for member in self._members:
            member.scheduler.restart()
        if self._reduction is not None:
            self._reduction.restart()
        if self._all is not None:
            self._all.restart()
            self._all_early = None

    def reward(self, *, new_class: bool) -> None:
        """Pay the member that made the execution."""
        if self._chosen in (self._first, self._reduction, self._all):
            return
        paid = 1.0 if new_class or self._news else 0.0
        self._turn.found += _MEMORY * (paid - self._turn.found)


def _credit(member: _Member) -> float:
    return member.credit
