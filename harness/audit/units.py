"""Functions to walk, what a walk comes to, and what it asks of who knows the class."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from semafuzz.harness.audit.facts import Call, Change, Held, Place
from semafuzz.harness.audit.sources import FunctionNode, ModuleSource
from semafuzz.harness.audit.taint import Taint

Body = FunctionNode | ast.Lambda


@dataclass(frozen=True, slots=True)
class Unit:
    """A function to walk. ``key``: its name among those of the audit; ``tainted``: the parameters and outer names
    that belong to guarded state; ``nested``: functions inside it and around it, by name; ``home``: the outermost
    function, for a nested one."""

    key: str
    module: ModuleSource
    node: Body
    tainted: Mapping[str, Taint]
    nested: Mapping[str, Body] = field(default_factory=dict)
    home: str = ""

    def inner(self, name: str, node: Body, tainted: Mapping[str, Taint], nested: Mapping[str, Body]) -> Unit:
        """A function inside this one."""
        home = self.home or self.key
        return Unit(f"{home}.{name}", self.module, node, dict(tainted), dict(nested), home)


@dataclass(slots=True)
class Walked:
    """What a walk came to. ``escapes``: functions that it hands out, which anybody may call; ``returns``: what it
    returns of guarded state; ``yields``: the lock at its first ``yield``, where it has one."""

    changes: list[tuple[Change, Held]] = field(default_factory=list)
    calls: list[tuple[Call, Unit]] = field(default_factory=list)
    escapes: list[tuple[Place, Unit]] = field(default_factory=list)
    returns: Taint | None = None
    yields: Held | None = None


State = tuple[Held, int] | None
"""Whether the lock is held and how often it was taken here; None where a place cannot be reached."""


def join(one: State, other: State) -> State:
    """What holds where two ways meet."""
    if one is None or other is None:
        return one or other
    held: Held = one[0] if one[0] == other[0] else "maybe"
    return held, max(one[1], other[1])


class Resolver(Protocol):
    """Finds what a name stands for, and knows what functions come to."""

    def method(self, name: str) -> Unit | None:
        """The method of the audited class, most derived first."""

    def parent_method(self, unit: Unit, name: str) -> Unit | None:
        """The method that ``super()`` reaches from a function of the class."""

    def accessor(self, name: str, *, stored: bool) -> Unit | None:
        """The function of a property, that reads it or sets it."""

    def function(self, module: ModuleSource, expression: ast.expr, tainted: Mapping[int, Taint]) -> Unit | None:
        """The function that an expression names, with what it is given of guarded state, by position."""

    def foreign(self, owner: Taint, name: str) -> Unit | None:
        """The method of the class of something that belongs to guarded state."""

    def attribute(self, name: str) -> Taint:
        """An attribute of the object, with its class where the source says."""

    def summary(self, unit: Unit, held: Held) -> Walked:
        """What a function comes to."""

    def runs_later(self, unit: Unit) -> bool:
        """Whether a call of the function runs nothing of it yet: a generator, a coroutine."""
