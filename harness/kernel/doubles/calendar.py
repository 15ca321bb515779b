"""Doubles of the clocks of ``datetime``.

Its classes are written in C and cannot be changed, so the code that asks them is: rewritten code gets these
where it fetches ``datetime.now`` and its like. Other code gets the real time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from semafuzz.harness.kernel.clock import EPOCH
from semafuzz.harness.kernel.doubles.locks import running
from semafuzz.harness.kernel.sites import NOWHERE

CLOCKS = frozenset({"now", "utcnow", "today"})
"""Their names."""


def virtual(owner: type[date], name: str) -> Callable[..., Any]:
    """``owner.name``, in virtual time."""
    real = getattr(owner, name)

    def read(tz: Any = None) -> Any:
        execution = running()
        if execution is None:
            return real() if tz is None else real(tz)
        execution.limit("clock", f"{owner.__qualname__}.{name}, of which one sequence was tried", NOWHERE)
        moment = EPOCH + execution.clock.read(execution)
        if not issubclass(owner, datetime):
            return owner.fromtimestamp(moment)
        if name == "utcnow":
            return owner.fromtimestamp(moment, UTC).replace(tzinfo=None)
        return owner.fromtimestamp(moment, tz)

    return read
