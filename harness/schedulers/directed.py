"""Schedules as exceptions from a natural one.

The natural schedule: the running task goes on; where it cannot, or has given way, the
one that was interrupted last does, or else the next in the order of their numbers, one
that only waits for time to pass after those that can run. A *directive* names a place
where another task runs instead: "here B runs", and when B is done A goes on.

That is the round robin of Emmi, Qadeer and Rakamaric, "Delay-bounded scheduling", POPL
2011, but for what was interrupted. A place counts what its task has done, not the choices
that were asked for, so it stays where it is when a program gets more scheduling points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from semafuzz.harness.kernel.event_kinds import GIVES_WAY
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.harness.schedulers.protocol import OneExecution

_MANY = 1 << 20


class Place(NamedTuple):
    """A choice, in terms of the task that ran before it (-1: at the very start).

    ``done``: events of that task so far. ``visit``: counts choices between two of
    its events, from 0; there is more than one only where it polls.
    """

    task: int
    done: int
    visit: int


class Directive(NamedTuple):
    """At this place, this task runs."""

    place: Place
    chosen: int


class Directed(OneExecution):
    """Follows directives, and the natural schedule everywhere else.

    ``followed``: those that made a difference. ``places``: one for each choice
    of the run.
    """

    name = "directed"

    def __init__(self, directives: Sequence[Directive]) -> None:
        self._directives = dict(directives)
        self._events: Sequence[RawEvent] = ()
        self._read = 0
        self._done: dict[int, int] = {}
        self._last = -1
        self._visits: dict[tuple[int, int], int] = {}
        self._interrupted: list[int] = []
        self.followed: list[Directive] = []
        self.places: list[Place] = []

    def watch(self, outcome: Outcome) -> None:
        """Told by the setting: the run that is about to begin."""
        self._events = outcome.events

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The directive's task where there is one and it is enabled."""
        interrupted = self._interrupted
        for event in self._events[self._read : step]:
            self._last = event[1].index
            self._done[self._last] = self._done.get(self._last, 0) + 1
            if self._last in interrupted:
                interrupted.remove(self._last)
        self._read = step
        who = self._last if current is None else current.index
        done = self._done.get(who, 0)
        visit = self._visits.get((who, done), 0)
        self._visits[who, done] = visit + 1
        place = Place(who, done, visit)
        self.places.append(place)
        goes_on = current in enabled and not current.timed and current.pending[0] not in GIVES_WAY if current else False
        natural = current if current and goes_on else _next(enabled, current, who, interrupted)
        chosen = self._directives.get(place)
        if chosen is not None and chosen != natural.index:
            for task in enabled:
                if task.index == chosen:
                    self.followed.append(Directive(place, chosen))
                    if goes_on:
                        interrupted.append(who)
                    return task
        return natural


def _next(enabled: Sequence[Task], current: Task | None, who: int, interrupted: Sequence[int]) -> Task:
    """Who follows a task that does not go on."""
    if interrupted:
        ready = {task.index: task for task in enabled if not task.timed and task is not current}
        for number in reversed(interrupted):
            if number in ready:
                return ready[number]
    return min(enabled, key=lambda task: (task is current, task.timed, (task.index - who - 1) % _MANY))


def directives_of(outcome: Outcome) -> tuple[Directive, ...]:
    """Directives under which the choices of ``outcome`` are made again: one for
    each, since a record does not say which of them the natural schedule makes too."""
    return tuple(
        Directive(place, decision.chosen) for place, decision in zip(places_of(outcome), outcome.decisions, strict=True)
    )


def places_of(outcome: Outcome) -> Iterator[Place]:
    """The places of the choices of a run, in order."""
    done: dict[int, int] = {}
    visits: dict[tuple[int, int], int] = {}
    read, last = 0, -1
    for decision in outcome.decisions:
        for event in outcome.events[read : decision.step]:
            last = event[1].index
            done[last] = done.get(last, 0) + 1
        read = decision.step
        who = last if decision.current == -1 else decision.current
        count = done.get(who, 0)
        visit = visits.get((who, count), 0)
        visits[who, count] = visit + 1
        yield Place(who, count, visit)
