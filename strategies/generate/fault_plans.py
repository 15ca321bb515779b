"""Fault plans: which call that leaves the process fails, and how."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.model.protocol import FaultInfo

MAX_CALL = 16
"""The latest I/O point of a task, counted among those that a fault fits, at which it is tried."""

EARLY = 3
"""Most tasks have no more points than this; a fault beyond the last changes nothing."""


def fault_plans(
    infos: Sequence[FaultInfo], tasks: int, *, least: int = 0, most: int = 2, latest: int = MAX_CALL
) -> st.SearchStrategy[tuple[Operation, ...]]:
    """``least`` to ``most`` faults at different points, half of them at the first few
    points of a task; shrinks towards fewer, then towards the first point of the
    first task."""
    if not infos or not tasks:
        return st.just(())
    fault = st.builds(
        lambda name, task, call: Operation(name, {"task": task, "call": call}),
        st.sampled_from([info.name for info in infos]),
        st.integers(0, tasks - 1),
        st.integers(1, EARLY) | st.integers(1, latest),
    )
    return st.lists(fault, min_size=least, max_size=most, unique_by=_point).map(tuple)


def _point(fault: Operation) -> tuple[object, object, str]:
    return fault.arguments["task"], fault.arguments["call"], fault.name
