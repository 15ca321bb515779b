"""Lock step: all tasks go forward together, one operation each in turn.

The one schedule in which sections overlap most: two threads that take two locks in opposite orders
meet in the middle, two that read and then write have both read. A good first execution, since most
defects of small programs show in a few schedules, and none of a search of its own.

Tasks that have started no other stand behind the one that starts them until it waits, and the
newest goes first: what happens to be right where threads run in the order in which they were started
is tried in the other one.
"""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler


class LockStep(Scheduler):
    """Round robin from the newest task to the oldest."""

    name = "lock-step"

    def __init__(self) -> None:
        self._last = 1 << 30
        self._all_begin = False

    def begin(self, execution: int) -> bool:
        """The same schedule at every time."""
        self._last, self._all_begin = 1 << 30, False
        return True

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """The next older task than the one before, or the newest again."""
        if not self._all_begin:
            if current is not None and current in enabled and current.index == 0 and current.pending[0] != op.YIELD:
                return current
            self._all_begin = True
        ready = [task for task in enabled if not task.timed] or enabled
        chosen = max((task for task in ready if task.index < self._last), key=_index, default=None) or max(
            ready, key=_index
        )
        self._last = chosen.index
        return chosen


def _index(task: Task) -> int:
    return task.index
