"""In a module of its own: closures that stay alive count for every later search of
functions of the same module.
"""

from __future__ import annotations

from semafuzz import explore


def test_a_closure_that_cannot_be_seen_is_named_and_never_complete() -> None:
    count = 0

    def add() -> None:
        nonlocal count
        count += 1

    def program() -> None:
        add()

    result = explore(program, schedules=5)
    assert count
    assert (result.verdict, result.exhausted) == ("cut", False)
    assert any("add" in limit and "not seen" in limit for limit in result.limits)
