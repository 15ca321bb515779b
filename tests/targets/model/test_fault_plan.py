"""Faults that are armed while a program runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from semafuzz.harness.kernel.task import Task
from semafuzz.targets.model.fault_plan import FaultPlan
from semafuzz.targets.model.protocol import FaultInfo


def timed_out(call: str) -> Exception:
    return TimeoutError(call)


def plan() -> FaultPlan:
    return FaultPlan({"timeout": FaultInfo("timeout", "no answer", ("conductor ",), timed_out)}, ())


def test_armed_twice_it_happens_at_two_calls_in_a_row_and_each_is_accounted_for() -> None:
    made, task = plan(), cast(Task, SimpleNamespace(index=0))
    armed = [made.arm("timeout", 0), made.arm("timeout", 0), made.arm("timeout", 0)]
    assert [fault.arguments["call"] for fault in armed] == [1, 2, 3]
    for expected in (armed[1:], armed[2:]):
        with pytest.raises(TimeoutError):
            made.meet("conductor save", task)
        assert made.unmet() == expected
    made.meet("hypervisor start", task)
    assert made.unmet() == armed[2:], "another kind of call is none of its points"


def test_armed_again_after_it_has_happened_it_is_the_next_call() -> None:
    made, task = plan(), cast(Any, SimpleNamespace(index=1))
    made.arm("timeout", 1)
    with pytest.raises(TimeoutError):
        made.meet("conductor save", task)
    made.meet("conductor save", task)
    assert made.arm("timeout", 1).arguments == {"task": 1, "call": 3}
