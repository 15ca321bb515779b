"""Races of an execution: pairs of steps of two tasks that depend on each other, with nothing between them
that orders them, so that another execution can have them the other way round (Flanagan and Godefroid,
"Dynamic partial order reduction for model checking software", POPL 2005; Abdulla, Aronsson, Jonsson, Sagonas,
"Optimal dynamic partial order reduction", POPL 2014).

Happens-before is kept by vector clocks over steps. Taking a lock races with the taking of it before, across
the release between the two, which cannot be moved past either; so does a task that waits for a lock to the
end, or until its time runs out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.locations import ANY_ITEM
from semafuzz.harness.schedulers.dpor.steps import Cell, Step, Steps

_NEVER: Final = -1
Clock = dict[int, int]
"""By task, the number of its last step that happened before."""


class Race(NamedTuple):
    """Two steps that can be reversed. ``second`` may be a step that the execution does not have: of a task
    that waited for a lock in vain."""

    first: int
    second: Step


class HappensBefore:
    """The clocks of an execution's steps, and its races."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.clocks: list[Clock] = []
        self.races: list[Race] = []
        self._last: dict[int, int] = {}
        self._started: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._written: dict[Cell, dict[int, int]] = {}
        self._read: dict[Cell, dict[int, int]] = {}
        self._taken: dict[Cell, int] = {}
        self._daemon: dict[int, int] = {}
        self._end = _NEVER
        with_daemons = any(step.reach.daemon for step in steps)
        self._shared: frozenset[Cell] = _shared_cells(steps) if with_daemons else frozenset()
        for step in steps:
            self._add(step)
        for step in steps.announced():
            self._add_announced(step)

    def before(self, first: int, second: int) -> bool:
        """Whether one step happened before another."""
        step = self._steps[first]
        return self.clocks[second].get(step.task, _NEVER) >= step.number

    def _add(self, step: Step) -> None:
        reach = step.reach
        if reach.barrier:
            self._add_barrier(step)
            return
        order = self._order_of_tasks(step)
        cells = self._conflicts(step)
        # A release cannot be moved past the acquire that waits for it.
        releases = {one for one in cells if step.waits and self._steps[one].kind == op.RELEASE}
        candidates = [one for one in cells if one not in releases and self._steps[one].task != step.task]
        if step.waits:
            taken = self._taken.get(reach.seen[0])
            if taken is not None and self._steps[taken].task != step.task:
                candidates.append(taken)
        direct = [*order, *(one for one in cells if one not in releases)]
        for first in dict.fromkeys(candidates):
            if not any(one != first and self.before(first, one) for one in direct) and first not in order:
                self.races.append(Race(first, step))
        self._close(step, [*order, *cells])
        self._mark(step)

    def _order_of_tasks(self, step: Step) -> list[int]:
        """What comes before it under every schedule: the step before of its task, the start of its task, the
        end of the one that it joins."""
        found = []
        last = self._last.get(step.task)
        if last is not None:
            found.append(last)
        elif step.task in self._started:
            found.append(self._started[step.task])
        if step.kind == op.JOIN and step.other in self._ended:
            found.append(self._ended[step.other])
        return found

    def _conflicts(self, step: Step) -> list[int]:
        """The newest steps that it depends on, by what both reach."""
        found: list[int] = []
        reach = step.reach
        for cell in reach.seen:
            found.extend(self._written.get(cell, {}).values())
            if reach.writes:
                found.extend(self._read.get(cell, {}).values())
        if reach.ends_all:
            found.extend(self._daemon.values())
        return found

    def _close(self, step: Step, before: Sequence[int]) -> None:
        clock: Clock = {}
        for one in before:
            for task, number in self.clocks[one].items():
                if clock.get(task, _NEVER) < number:
                    clock[task] = number
        clock[step.task] = step.number
        self.clocks.append(clock)

    def _mark(self, step: Step) -> None:
        index, reach = step.index, step.reach
        self._last[step.task] = index
        if reach.writes:
            for cell in reach.marked:
                if cell[1] is ANY_ITEM:
                    # All items together: an access to one says nothing of those to others.
                    self._written.setdefault(cell, {})[step.task] = index
                else:
                    self._written[cell] = {step.task: index}
                    self._read.pop(cell, None)
        else:
            for cell in reach.marked:
                self._read.setdefault(cell, {})[step.task] = index
        if reach.daemon and not self._shared.isdisjoint(reach.marked):
            self._daemon[step.task] = index
        if step.kind == op.ACQUIRE:
            self._taken[reach.seen[0]] = index
        elif step.kind == op.SPAWN:
            self._started[step.other] = index
        elif step.kind == op.END:
            self._ended[step.task] = index
            if reach.ends_all:
                self._end = index

    def _add_barrier(self, step: Step) -> None:
        """A time-out that ran out because nothing else could go on: after all that came before. Its task could
        have had the lock before the one that has it now."""
        wish = self._steps.wish(step)
        if wish is not None:
            self._add_wish(wish)
        self._close(step, list(self._last.values()))
        self._mark(step)

    def _add_announced(self, step: Step) -> None:
        """A step that a task had announced when the execution ended."""
        held = step.waits and self._add_wish(step)
        if self._end != _NEVER and not held:
            last = self._order_of_tasks(step)
            if not any(self.before(self._end, one) for one in last):
                self.races.append(Race(self._end, step))

    def _add_wish(self, step: Step) -> bool:
        """A task waits for a lock: it races with the one that took it. Whether somebody has it."""
        cell = step.reach.seen[0]
        taken = self._taken.get(cell)
        if taken is None:
            return False
        if self._steps[taken].task != step.task and not any(
            self.before(taken, one) for one in self._order_of_tasks(step)
        ):
            self.races.append(Race(taken, step))
        return self._steps[next(iter(self._written[cell].values()))].kind == op.ACQUIRE


def _shared_cells(steps: Steps) -> frozenset[Cell]:
    """What more than one task reached: whether a daemon came so far can make a difference there."""
    tasks: dict[Cell, int] = {}
    shared: set[Cell] = set()
    for step in steps:
        for cell in step.reach.marked:
            if tasks.setdefault(cell, step.task) != step.task:
                shared.add(cell)
    return frozenset(shared)
