"""Virtual time: sleeping costs nothing and the scheduler decides what is late."""

from __future__ import annotations

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.running import Running
from semafuzz.harness.kernel.sites import NOWHERE

EPOCH = 1_750_000_000.0
"""What ``time.time()`` says at the start of every execution (seconds)."""

TICK = 1e-6
PATIENCE = 50


class VirtualClock:
    """The time of one execution, in seconds since its start.

    Reading the clock moves it by a microsecond, so that two readings differ.
    A task that only reads it (``while time.monotonic() < end: pass``) gets
    twice the step after every ten readings beyond the first fifty: such loops
    end after some hundred steps instead of some million.
    """

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0.0

    def read(self, execution: Running) -> float:
        """The time since the start, as ``time.monotonic`` gives it; an event.

        ``execution`` is handed in: holding it would make a cycle that only the
        garbage collector could free, once per execution.
        """
        task = execution.current
        task.clock_reads += 1
        excess = max(0, task.clock_reads - PATIENCE)
        self.now += TICK * (1 << min(excess // 10, 30))
        if not execution.aborting:
            execution.touch(op.CLOCK, None, None, NOWHERE)
        return self.now

    def advance_to(self, moment: float) -> None:
        """Let time pass; never backwards."""
        if moment > self.now:
            self.now = moment
