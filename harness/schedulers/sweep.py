"""A sweep: every schedule with one change of priority where a task meets the world.

For each task in turn: it goes first, and at its first, its second, ... such place all
others go before it. Random priorities with one change point (Burckhardt, Kothari,
Musuvathi, Nagarakatte, ASPLOS 2010, for d = 2), drawn by nobody: as many executions as the
tasks have places together, after which there is none left.

Places are those at which a task takes a lock, waits, sleeps or leaves the process. Blind
to what needs a switch at an access to memory, or a second change of priority. Of more than
two tasks only one order of the others is tried, so that it is no proof there either.
Whoever knows calls at which nothing changes for others can have them passed over.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.kernel import operations as op
from harness.kernel.outcome import Outcome
from harness.kernel.task import Pending, Task
from harness.schedulers.ranks import Ranked


class Sweep(Ranked):
    """Gives the first task up at one place after the other, then the next task is first."""

    name = "sweep"

    def __init__(self, idle: Callable[[str], bool] = lambda call: False) -> None:
        """``idle``: whether a task need not be left at the I/O point with this name."""
        self._idle = idle
        self._first = 0
        self._change = -1
        self._places = self._most = 0
        super().__init__()

    def begin(self, execution: int) -> bool:
        """Move to the next place; False when every task had each of its own."""
        if execution == 0:
            self._first = self._change = self._most = 0
        elif self._change >= self._most:
            self._first += 1
            self._change = self._most = 0
        else:
            self._change += 1
        self._places = 0
        self._start()
        return self._first < self._tasks

    def _first_rank(self, task: Task) -> int:
        return 0 if task.index == self._first else task.index + 1

    def _meets(self, current: Task) -> None:
        if current.index == self._first and self._is_place(current.pending):
            self._places += 1
            self._most = max(self._most, self._places)
            if self._places == self._change:
                self._drop(current)

    def _is_place(self, pending: Pending) -> bool:
        kind, _, name, _ = pending
        return kind not in op.MEMORY and not (kind == op.IO and self._idle(str(name)))

    def end(self, outcome: Outcome) -> None:
        """Nothing to learn but how many tasks there are, which ``choose`` sees."""
