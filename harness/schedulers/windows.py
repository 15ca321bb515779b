"""Windows: one task rests in front of a place, another one goes through.

Most defects need one task to be held where it stands while one other runs (Lu, Park, Seo, Zhou, "Learning
from Mistakes", ASPLOS 2008: two threads for 96 in 100). Which place, and which kind of other, is drawn from
the places that meet, as RaceFuzzer does (Sen, "Race directed random testing of concurrent programs", PLDI
2008), and not by counting steps or tasks: a hundred threads that do the same are one kind, so that
the chance does not fall with their number.

The windows of a program are taken in random order, each once before any is taken again. In a quarter of
the executions the other task is held as well, at a place of its own, until the first has gone on to its
end. All that is left is a random walk. Blind to what needs three tasks in three places at once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.profile import Profile
from semafuzz.harness.schedulers.protocol import Scheduler

_Any = TypeVar("_Any")
_Window = tuple[int, int, int]
"""The kind that is held, the site in front of which it is, and the kind that goes through."""
_UNPLANNED = 0.1
"""Executions that are random walks from the start: what windows never lead to is met so."""
_TWICE = 0.25
"""Executions in which the other task is held as well."""


class Windows(Scheduler):
    """Holds a task of a random kind at a random place, and lets one of a random kind run.

    ``profile`` may be shared between schedulers of one search, if somebody else keeps it up to date.
    """

    name = "windows"
    static_points = True

    def __init__(self, seed: int = 0, profile: Profile | None = None) -> None:
        self._own = profile is None
        self._profile = Profile() if profile is None else profile
        self._generator = random.Random(seed)
        self._draw = self._generator.random
        self._plan: list[_Stretch] = []
        self._stretch = 0
        self._known_as = -1
        self._all: list[_Window] = []
        self._done: set[_Window] = set()

    def begin(self, execution: int) -> bool:
        """Take the next window: who is held where, and who runs meanwhile."""
        self._plan, self._stretch = [], 0
        kinds = self._profile.kinds()
        windows = self._windows(kinds)
        if not windows or self._draw() < _UNPLANNED:
            return True
        waiting = [window for window in windows if window not in self._done]
        if not waiting:
            self._done.clear()
            waiting = windows
        window = self._pick(waiting)
        self._done.add(window)
        held_kind, place, other_kind = window
        held = self._pick(kinds[held_kind])
        other = self._pick([task for task in kinds[other_kind] if task != held] or [held])
        self._plan = [self._until(held, place)]
        if self._draw() < _TWICE:
            self._plan.append(self._until(other, self._pick(self._places(other))))
            self._plan.append(_Stretch(held))
        self._plan.append(_Stretch(other))
        self._plan.append(_Stretch(held))
        return True

    def _pick(self, of: Sequence[_Any]) -> _Any:
        return of[int(self._draw() * len(of))]

    def _windows(self, kinds: dict[int, list[int]]) -> list[_Window]:
        """Every kind that can be held at each of its places, with every kind of which another task is left."""
        if self._known_as != self._profile.version:
            self._known_as = self._profile.version
            self._all = [
                (held, place, other)
                for held, tasks in kinds.items()
                for place in self._places(tasks[0])
                for other, others in kinds.items()
                if other != held or len(others) > 1
            ]
        return self._all

    def _places(self, task: int) -> list[int]:
        """The places of a task after its first one: there it has had an effect."""
        counts = self._profile.most[task]
        places = [site for site in counts if site in self._profile.meeting]
        if len(places) > 1 and counts[places[0]] == 1:
            del places[0]
        return places

    def _until(self, task: int, place: int) -> _Stretch:
        return _Stretch(task, place, int(self._draw() * self._profile.most[task].get(place, 1)))

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """Whose stretch it is, or what lets it begin."""
        while self._stretch < len(self._plan):
            stretch = self._plan[self._stretch]
            task = next((one for one in enabled if one.index == stretch.task), None)
            if task is None:
                if stretch.begun:
                    # It has ended, or waits for somebody.
                    self._stretch += 1
                    continue
                # It is not there yet: the oldest task is the one that starts others.
                return self._starter(enabled)
            stretch.begun = True
            if task.pending[3] == stretch.place and (current is task or not stretch.passes):
                if not stretch.passes:
                    self._stretch += 1
                    continue
                stretch.passes -= 1
            return task
        return enabled[int(self._draw() * len(enabled))]

    def _starter(self, enabled: Sequence[Task]) -> Task:
        first = enabled[0]
        return first if first.index == 0 else enabled[int(self._draw() * len(enabled))]

    def end(self, outcome: Outcome) -> None:
        """Learn from the execution."""
        if self._own:
            self._profile.add(outcome)


class _Stretch:
    """A task runs until it is in front of ``place``, which it has passed so many times before; -1: to its end."""

    __slots__ = ("begun", "passes", "place", "task")

    def __init__(self, task: int, place: int = -1, passes: int = 0) -> None:
        self.task = task
        self.place = place
        self.passes = passes
        self.begun = False
