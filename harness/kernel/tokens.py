"""Tokens: what stands for an object in the record of an execution, without keeping it alive.

An event holds the object that was touched, so that no other one can get its address meanwhile. Where
the program has finalisers or looks at weak references that would change what it does: they would run
at the end of the execution. So objects are held by a token each. That of an instance ends its
hold with the instance (weakly); builtin containers cannot be held weakly, so theirs is let go
where nobody else holds the container any more, which is looked at before every further step.
"""

from __future__ import annotations

import sys
import weakref
from types import ModuleType
from typing import Any

from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.lockable import Lockable
from semafuzz.harness.kernel.task import Task

_OURS = 3
"""References to a container that are ours while it is looked at: the list, the variable, the argument."""
_YOUNG = 64
"""Containers that are looked at before every step; older ones less often."""


class Token:
    """Stands for one object, and outlives it. ``kind_name``: the name of its type."""

    __slots__ = ("__weakref__", "kind_name", "weak")

    def __init__(self, subject: object) -> None:
        self.kind_name = type(subject).__name__
        self.weak: weakref.ref[Any] | None = None

    def alive(self) -> object:
        """The object, or None where it is gone or held by nobody that we know."""
        return self.weak() if self.weak is not None else None


class Tokens:
    """The tokens of one execution."""

    def __init__(self) -> None:
        self._by_id: dict[int, Token] = {}
        self._held: list[Any] = []

    def of(self, subject: Any) -> Any:
        """What stands for ``subject`` in an event."""
        if subject is None or issubclass(type(subject), (Task, Lockable, ModuleType, type)):
            return subject
        if type(subject) is dict and "__builtins__" in subject:
            return subject
        key = address(subject)
        found = self._by_id.get(key)
        if found is not None:
            return found
        token = self._by_id[key] = Token(subject)
        by_id = self._by_id
        try:
            token.weak = weakref.ref(subject, lambda _: by_id.pop(key, None))
        except TypeError:
            self._held.append(subject)
        return token

    def let_go(self, *, all_of_them: bool = False) -> None:
        """Let those containers go that the program has let go."""
        held = self._held
        if not held:
            return
        start = 0 if all_of_them else max(0, len(held) - _YOUNG)
        for index in range(len(held) - 1, start - 1, -1):
            one = held[index]
            if sys.getrefcount(one) <= _OURS:
                del self._by_id[address(one)], held[index]
                # A finaliser that runs now may touch more.
                del one
                held = self._held
