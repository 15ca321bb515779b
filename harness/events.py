"""The event stream as observers see it: one typed union.

The kernel records tuples (``semafuzz.harness.kernel.event_kinds``); :func:`typed` turns a
run of them into these. An observer is anything with the three methods of
:class:`Observer`; one that raises is an internal error, never a passed check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.naming import Namer, name_text
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent


class _Event(msgspec.Struct, frozen=True, tag=True):
    """``step``: number in the execution; ``task``: number of the task;
    ``place``: ``module:line (function)``."""

    step: int
    task: int
    place: str


class Access(_Event, frozen=True, tag="access"):
    """A read or write of data. ``subject`` is a stable name such as
    ``Counter#1``, ``name`` the attribute or item, empty for a whole container."""

    write: bool
    subject: str
    name: str
    grain: str


class Locking(_Event, frozen=True, tag="lock"):
    """``action``: acquire, release, try-acquire (it failed) or timeout."""

    action: str
    lock: str


class Section(_Event, frozen=True, tag="section"):
    """Entry to or exit from a section guarded by a *named* lock of the target."""

    action: str
    lock: str


class Call(_Event, frozen=True, tag="call"):
    """``action``: call or return; ``method``: of a class that the target watches,
    as ``Class.method``."""

    action: str
    subject: str
    method: str


class Lifecycle(_Event, frozen=True, tag="lifecycle"):
    """``action``: spawn, begin, end or join; ``other`` the task it concerns."""

    action: str
    other: str


class Time(_Event, frozen=True, tag="time"):
    """``action``: sleep, yield or clock (a reading)."""

    action: str


class Io(_Event, frozen=True, tag="io"):
    """A call that leaves the process (conductor, placement, hypervisor)."""

    call: str


class Note(_Event, frozen=True, tag="note"):
    """Something that a target or a loop reports; never an operation on data."""

    text: str


Event = Access | Locking | Section | Call | Lifecycle | Time | Io | Note


class Observer(Protocol):
    """Looks at executions; detectors, recorders and counters are observers."""

    def begin(self, execution: int) -> None:
        """The execution with this number starts."""

    def event(self, event: Event) -> None:
        """One event; called in order, after the execution has ended."""

    def end(self, outcome: Outcome) -> None:
        """All events of the execution were shown."""


_GRAINS = {op.READ_ITEM: "item", op.WRITE_ITEM: "item", op.READ_ALL: "whole", op.WRITE_ALL: "whole"}


def typed(events: Sequence[RawEvent]) -> Iterator[Event]:
    """The typed form of a run of raw events."""
    namer = Namer()
    for step, (kind, task, subject, name, site) in enumerate(events):
        place = SITES[site].place() if site else ""
        action = op.KIND_NAMES[kind]
        if kind in op.MEMORY:
            grain = _GRAINS.get(kind, "attribute")
            yield Access(step, task.index, place, kind in op.WRITES, namer.name(subject), name_text(name), grain)
        elif kind in (op.ACQUIRE, op.RELEASE, op.TRY, op.TIMEOUT):
            yield Locking(step, task.index, place, action, namer.name(subject))
        elif kind in (op.ENTER, op.EXIT):
            yield Section(step, task.index, place, action, name_text(name))
        elif kind in (op.CALL, op.RETURN):
            yield Call(step, task.index, place, action, namer.name(subject), name_text(name))
        elif kind in (op.SPAWN, op.BEGIN, op.END, op.JOIN):
            yield Lifecycle(step, task.index, place, action, namer.name(subject))
        elif kind in (op.SLEEP, op.YIELD, op.CLOCK):
            yield Time(step, task.index, place, action)
        elif kind == op.IO:
            yield Io(step, task.index, place, name_text(name))
        else:
            yield Note(step, task.index, place, f"{action} {name_text(name)}".strip())
