"""A sweep over accesses: one change of priority before each that meets one of another task without a common lock.

Each task in turn goes first, and is left before one such access, where the others go before it: a switch inside of a
read and a write that belong together, or inside of a section whose lock the other does not take. Where tasks meet is
seen in runs of one task after the other, by the lockset of each access (Savage et al., "Eraser", 1997), and the places
come by halving, as in :class:`~semafuzz.harness.schedulers.one_change_sweep.OneChangeSweep`, so that a sweep which is
cut has been everywhere a little.

Blind to accesses that these runs do not make, to what needs a second change of priority, and to what an order between
tasks other than by locks keeps apart: a place that cannot matter costs an execution.
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.locations import Key
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.harness.schedulers.one_change_sweep import Places
from semafuzz.harness.schedulers.priorities import PriorityScheduler
from semafuzz.harness.schedulers.touches import Touch, touches_of


class AccessSweep(PriorityScheduler):
    """Makes no run by itself from which it could learn: somebody tells it of one for each task."""

    name = "access-sweep"

    def __init__(self) -> None:
        super().__init__()
        self._steps: dict[int, list[int]] = {}
        self._places: dict[int, Places] = {}
        self._first = self._change = 0
        self._left = False

    @property
    def places(self) -> int:
        """How many there are, as far as was learned."""
        return sum(map(len, self._steps.values()))

    def learn(self, task: int, outcome: Outcome) -> None:
        """Take in a run in which this task went first to its end."""
        steps = meeting_steps(outcome.events, task)
        self._steps[task], self._places[task] = steps, Places(len(steps))

    def begin(self, execution: int) -> bool:
        """Move to the next place; False when every task had each of its own."""
        order = sorted(self._places)
        for turn in [*(one for one in order if one > self._first), *(one for one in order if one <= self._first)]:
            place = self._places[turn].next()
            if place:
                self._places[turn].tried.add(place)
                self._first, self._change = turn, self._steps[turn][place - 1]
                self._left = False
                self._start()
                return True
        return False

    def _first_rank(self, task: Task) -> int:
        return 0 if task.index == self._first else task.index + 1

    def _meets(self, current: Task, step: int) -> None:
        # Until then all is as in the run from which the place is known.
        if current.index == self._first and step >= self._change and not self._left:
            self._left = True
            self._drop(current)


def meeting_steps(events: Sequence[RawEvent], task: int) -> list[int]:
    """The numbers of a task's accesses to what another one touches without a lock that both hold, where one of the
    two writes."""
    own = [(step, touch) for step, index, touch in touches_of(events) if index == task]
    others: dict[Key, set[Touch]] = {}
    for _, index, touch in touches_of(events):
        if index != task:
            others.setdefault(touch.key, set()).add(touch)
    return [step for step, touch in own if any(map(touch.meets, others.get(touch.key, ())))]
