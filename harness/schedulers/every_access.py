"""A choice at every access, for an execution of which nothing is known yet."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import Task
from semafuzz.harness.schedulers.protocol import Scheduler

_MOST = 2_000
"""Choices; a long program goes on with those at locks and starts of threads only."""


class EveryAccess(Scheduler):
    """Hands the choices of one execution to ``inner``. ``points``: the scheduling points for that execution,
    by site number: all at first, none after so many choices."""

    name = "every-access"

    def __init__(self, inner: Scheduler, sites: int) -> None:
        self.points = bytearray(b"\x01" * sites)
        self._inner = inner
        self._made = 0

    def watch(self, outcome: Outcome) -> None:
        """Show the record to the one who chooses."""
        self._inner.watch(outcome)

    def choose(self, enabled: Sequence[Task], current: Task | None, step: int) -> Task:
        """As the other one does."""
        self._made += 1
        if self._made == _MOST:
            self.points[:] = bytes(len(self.points))
        return self._inner.choose(enabled, current, step)
