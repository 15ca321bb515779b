"""The execution that is running now, or None.

A module of its own, with next to nothing in it, so that doubles and
instrumentation hooks reach it by one attribute look-up, and so that nothing
needs to import the execution to ask whether there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semafuzz.harness.kernel.lockable import Lockable
    from semafuzz.harness.kernel.running import Running

execution: Running | None = None
"""Set exactly while tasks of an execution run; None in set-up, checks,
schedulers called between tasks, and outside control."""


wait_for: list[Callable[[Lockable], None]] = []
"""While an execution is driven from outside, and none of its tasks runs: what is done where code outside takes
a lock that a task holds."""


def nothing() -> None:
    """There is nothing to put back while no control is installed."""


real_locks: list[Any] = []
"""Real re-entrant locks in places where they could not be exchanged: they exclude no task."""

restore: Callable[[], None] = nothing
"""Puts back what module-level primitives looked like when control began."""
