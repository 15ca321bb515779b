"""Guided: a few exceptions from "the running task goes on".

Made for schedules that are drawn or written by hand. Counting choices makes an
exception short to write and easy to draw, but it moves when the program gets
scheduling points that it had not before; what is kept for longer counts what a
task has done (``semafuzz.harness.schedulers.directed``).
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task

_LAST = 1 << 20

Directive = tuple[int, int, int]
"""``(task that announced, or -1; how manyth choice of its; task that runs instead)``"""


class Guided:
    """Follows directives and otherwise lets the running task go on.

    ``order``: task numbers; the first of them that is enabled follows a task that
    cannot go on. Without it the one with the lowest number does.
    """

    name = "guided"

    def __init__(self, directives: Sequence[Directive], order: Sequence[int] = ()) -> None:
        self._rank = {number: rank for rank, number in enumerate(order)}
        self._directives = {(task, number): target for task, number, target in directives}
        self._counts: dict[int, int] = {}

    def begin(self, execution: int) -> bool:
        """One execution."""
        self._counts = {}
        return execution == 0

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The directive's task where there is one and it is enabled."""
        who = -1 if current is None else current.index
        number = self._counts[who] = self._counts.get(who, 0) + 1
        wanted = self._directives.get((who, number))
        rank = self._rank
        default = min(enabled, key=lambda task: rank.get(task.index, _LAST)) if rank else enabled[0]
        for task in enabled:
            if task.index == wanted:
                return task
            if task is current:
                default = task
        return default

    def end(self, outcome: Outcome) -> None:
        """Nothing to learn."""
