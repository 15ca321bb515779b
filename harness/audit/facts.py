"""What the audit says, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Held = Literal["yes", "no", "maybe"]
"""Whether the lock is held at a place: on every way there, on none, on some."""

Verdict = Literal["proven guarded", "possibly unguarded", "only reads", "constructor"]
"""``proven guarded``: every change that the method can come to is made under the lock, however it is entered.
``possibly unguarded``: one may be made without it. ``only reads``: it comes to none. ``constructor``: it runs before
anybody else can have the object."""

RANK: dict[Verdict, int] = {"possibly unguarded": 0, "proven guarded": 1, "only reads": 2, "constructor": 3}
"""The order in which they are shown."""


class Place(NamedTuple):
    """A line of a file of the program, by the name of its module."""

    module: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line}"


class Change(NamedTuple):
    """A change of guarded state. ``what``: the state, as the source reaches it; ``certain``: False for a call of a
    method that nothing is known of."""

    place: Place
    what: str
    certain: bool = True


class Call(NamedTuple):
    """A call of a method or function that is looked into, by its key; ``held``: the lock there."""

    place: Place
    callee: str
    held: Held


@dataclass(slots=True)
class MethodAudit:
    """One method. ``locks``: how the lock is taken around it, in words; ``changes``: what it changes itself, or comes
    to change through what it calls; ``unguarded``: those of these that may be made without the lock, each with the
    way there; ``entered``: where it may be entered without the lock."""

    name: str
    place: Place
    verdict: Verdict
    locks: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    unguarded: tuple[tuple[Change, tuple[str, ...]], ...] = ()
    entered: tuple[str, ...] = ()


@dataclass(slots=True)
class ClassAudit:
    """A class. ``lock``: by its name in the source; ``inferred``: nobody named it. ``files``: those of its modules."""

    name: str
    lock: str
    inferred: bool
    methods: dict[str, MethodAudit] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
