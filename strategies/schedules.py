"""Sparse schedules: a few preemptions, between which every task runs on.

Hypothesis holds a few thousand small choices in an example; a schedule that drew
one for every scheduling point would use them up. A schedule here is a handful of
*directives* (``semafuzz.harness.shrink.schedule``): at the how manyth choice of which task
another one runs instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.shrink.schedule import Directive, Guided

MAX_CHOICE = 400


def directives(tasks: int, *, most: int = 4, latest: int = MAX_CHOICE) -> st.SearchStrategy[tuple[Directive, ...]]:
    """Up to ``most`` preemptions among ``tasks`` tasks; shrinks towards none, then
    towards early ones."""
    one = st.tuples(st.integers(0, tasks - 1), st.integers(1, latest), st.integers(0, tasks - 1))
    return st.lists(one, max_size=most, unique_by=lambda directive: directive[:2]).map(
        lambda found: tuple(sorted(found))
    )


def orders(tasks: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Which task goes first when none is running; shrinks towards their numbers."""
    return st.permutations(range(tasks)).map(tuple)


@st.composite
def schedules(draw: st.DrawFn, tasks: int, *, most: int = 4) -> Scheduler:
    """A scheduler for one execution of a program of ``tasks`` tasks."""
    return _Described(draw(directives(tasks, most=most)), draw(orders(tasks)))


class _Described(Guided):
    """Prints as what it does, in a falsifying example."""

    def __init__(self, chosen: Sequence[Directive], order: Sequence[int]) -> None:
        super().__init__(chosen, order)
        self._text = ", ".join(f"task {who} gives way to {to} at its choice {number}" for who, number, to in chosen)
        self._order = tuple(order)

    def __repr__(self) -> str:
        return f"<schedule: order {self._order}; {self._text or 'no preemption'}>"
