"""Dependence of operations: when the order of two operations matters.

Two neighbouring operations of different tasks that do not depend on each other can be
swapped, and the program cannot tell. Two operations depend on each other when they belong
to one task, or when

- they are on one location and one of them writes: an attribute, one item of a
  container, or a whole container against itself and any item of it;
- they are on one lock (two failed tries excepted), or wait for its release;
- one starts a task, begins it or ends it, and the other begins, ends, joins or
  gave up joining that task;
- both read the clock or let time pass;
- both are input or output. What they do is not seen: two calls may reach one row of
  one database, so each pair counts.

As ``semafuzz.harness.kernel.locations`` has it, plus the last three, which the happens-before
classes need not keep apart. What is not recorded (a library's state, a generator shared
between tasks) is missing here too.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import ANY_ITEM, CONTAINER, LOOKS, WHOLE, WHOLE_CONTAINER, Key

Where = TypeVar("Where")
Cell = tuple[Where, object]

_READING = LOOKS | {op.JOIN}
_WRITING = op.WRITES | {op.ACQUIRE, op.RELEASE, op.TIMEOUT, op.SPAWN, op.BEGIN, op.END}
_TIME = frozenset({op.SLEEP, op.CLOCK, op.TIMEOUT})
_CLOCK: Key = (0, "clock")
_OUTSIDE: Key = (0, "outside")


class Reach(NamedTuple):
    """What an operation looks at and leaves its mark on; empty where nothing
    depends on it."""

    seen: tuple[Key, ...] = ()
    marked: tuple[Key, ...] = ()
    writes: bool = False


_NOTHING = Reach()


def reach_in_container(
    kind: int, where: Where, name: object
) -> tuple[tuple[Cell[Where], ...], tuple[Cell[Where], ...]]:
    """What an access to one item of a container, or to all of it, looks at and leaves its mark on. ``where``: what
    the container is known by, its ``id`` or a name."""
    whole = (where, WHOLE_CONTAINER)
    if kind in WHOLE:
        return (whole, (where, ANY_ITEM)), (whole,)
    item = (where, ("item", name))
    return (item, whole), (item, (where, ANY_ITEM))


def reach(kind: int, subject: object, name: object) -> Reach:
    """The reach of an operation."""
    if kind == op.IO:
        return Reach((_OUTSIDE,), (_OUTSIDE,), True)
    where = address(subject)
    if kind in CONTAINER:
        return Reach(*reach_in_container(kind, where, name), kind in op.WRITES)
    cells: tuple[Key, ...] = ()
    if kind in _READING or kind in _WRITING:
        cells = ((where, name),)
    if kind in _TIME:
        cells = (*cells, _CLOCK)
    return Reach(cells, cells, kind not in _READING) if cells else _NOTHING


class Summary:
    """What a number of operations reach, taken together."""

    def __init__(self) -> None:
        self._touched: set[Key] = set()
        self._written: set[Key] = set()

    def add(self, one: Reach) -> None:
        """Add an operation."""
        self._touched.update(one.marked)
        if one.writes:
            self._written.update(one.marked)

    def meets(self, one: Reach) -> bool:
        """Whether an operation depends on one of these."""
        cells = self._touched if one.writes else self._written
        return any(cell in cells for cell in one.seen)
