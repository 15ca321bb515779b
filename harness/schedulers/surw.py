"""Selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury, "Selectively Uniform
Concurrency Testing", ASPLOS 2025).

A uniform choice at every point is far from a uniform choice among interleavings: a task that has
one step left is as likely as one that has a hundred. Here a few places are chosen for each
execution, and the order of the tasks' events *at these places* is drawn uniformly: the task that may
pass next is drawn with a probability proportional to the events that it has left there, and all
others wait in front of theirs; everything else is a random walk.

Deviations: the places are all that meet at one location, or at any, drawn anew for each
execution among those that executions so far have shown; the events that are left are those of the
newest profile, so that a task which does not exist yet has its weight as well; where who is meant
cannot come, another is drawn among those that wait.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.profile import Profile
from semafuzz.harness.schedulers.protocol import Scheduler


class SURW(Scheduler):
    """Uniform over the orders at some places, random walk elsewhere. ``profile`` may be shared
    between schedulers of one search, if somebody else keeps it up to date."""

    name = "surw"
    static_points = True

    def __init__(self, seed: int = 0, profile: Profile | None = None) -> None:
        self._own = profile is None
        self._profile = Profile() if profile is None else profile
        self._generator = random.Random(seed)
        self._draw = self._generator.random
        self._places: frozenset[int] = frozenset()
        self._left: dict[int, int] = {}
        self._meant = -1

    def begin(self, execution: int) -> bool:
        """Draw the places of this execution, and who passes first."""
        groups = self._profile.groups
        places: frozenset[int] = frozenset()
        if groups:
            number = int(self._draw() * (len(groups) + (len(groups) > 1)))
            places = groups[number] if number < len(groups) else frozenset().union(*groups)
        self._places = places
        self._left = {}
        for task, sites in self._profile.counts.items():
            events = sum([sites[site] for site in places if site in sites])
            if events:
                self._left[task] = events
        self._mean()
        return True

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Any task that is not in front of one of the places, or the one that is meant."""
        places, meant = self._places, self._meant
        if not places:
            return enabled[int(self._draw() * len(enabled))]
        free = [task for task in enabled if task.index == meant or task.pending[3] not in places]
        if free:
            chosen = free[int(self._draw() * len(free))]
        else:
            left = self._left
            chosen = self._generator.choices(enabled, [max(left.get(task.index, 0), 1) for task in enabled])[0]
        if chosen.pending[3] in places:
            self._pass(chosen.index)
        return chosen

    def _pass(self, task: int) -> None:
        left = self._left
        if left.get(task, 0) > 1:
            left[task] -= 1
        else:
            left.pop(task, None)
        self._mean()

    def _mean(self) -> None:
        """Draw who passes next, by the events that each has left."""
        left = self._left
        if not left:
            self._meant = -1
            return
        drawn = self._draw() * sum(left.values())
        for task, events in left.items():
            drawn -= events
            if drawn < 0:
                self._meant = task
                return

    def end(self, outcome: Outcome) -> None:
        """Learn from the execution."""
        if self._own:
            self._profile.add(outcome)
