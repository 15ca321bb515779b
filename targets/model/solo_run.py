"""Running one function under control, with no other task beside it."""

from __future__ import annotations

from collections.abc import Callable

from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.kernel.doubles.locks import control_thread
from semafuzz.harness.kernel.execution import Execution
from semafuzz.harness.kernel.outcome import Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.schedulers.serial_order import SerialOrder


def run_solo(function: Callable[[], object]) -> list[Failure]:
    """Call ``function`` in a controlled execution of its own: virtual time, random
    numbers from the start of their seed, and a deadlock where it would block for ever.
    Threads that it starts run when it waits or has ended. Where no control is
    installed it is simply called.

    Returns what went wrong. Raises CannotJudge where it escaped control.
    """
    outcome = solo_outcome(function)
    return outcome.failures if outcome is not None else []


def solo_outcome(function: Callable[[], object]) -> Outcome | None:
    """As :func:`run_solo`, with all that the execution came to; None where no control is installed."""
    if not control_thread[0]:
        function()
        return None
    execution = Execution(SerialOrder((0,)), no_points(), preemptive=False)
    execution.add_task(function, "alone")
    outcome = execution.run()
    if outcome.uncontrolled:
        raise CannotJudge(outcome.uncontrolled)
    return outcome


_nowhere_hot = bytearray(1 << 16)


def no_points() -> bytearray:
    """No scheduling point at any site; nothing writes to it."""
    if len(_nowhere_hot) < 2 * len(SITES):
        _nowhere_hot.extend(bytes(2 * len(SITES)))
    return _nowhere_hot
