"""Virtual time for trio, and the one question by which a run is controlled.

trio asks its clock how long it may sleep exactly when no task is runnable, and says
which deadline is next. Nothing else in its public interface tells both at once, and
for so little: so that is where the execution chooses who goes on. The answer
is always zero; sleeping costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from harness.kernel.clock import VirtualClock


class ChoosingClock(trio.abc.Clock):
    """The clock of one execution, in seconds since its start.

    ``idle`` is called with the next deadline (infinity for none) whenever
    every task is blocked.
    """

    def __init__(self, time: VirtualClock, idle: Callable[[float], None]) -> None:
        self._time = time
        self._idle = idle

    def start_clock(self) -> None:
        """Nothing: time starts at zero and passes only where it is made to."""

    def current_time(self) -> float:
        """The virtual time."""
        return self._time.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Let the execution choose; there is never anything to sleep for."""
        self._idle(deadline)
        return 0.0
