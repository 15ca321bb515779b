"""Lock policy: what a target says of its locking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from semafuzz.harness.instrument.method_calls import public_methods
from semafuzz.harness.kernel.task import Task


class Owned(Protocol):
    """A lock that knows who holds it, as the doubles of ``threading``'s locks do."""

    owner: Task | None


class Guard(NamedTuple):
    """``root`` and what belongs to it may be written by whoever holds ``lock``: the
    name of a lock whose sections are events, or a lock (``threading``'s Lock, RLock or
    Condition) that was made under control."""

    lock: str | Owned
    root: object


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """What a target says of its locking.

    ``guarded``: the class whose public methods make the table. ``lock``: the lock's
    name for people. ``guards``: which objects are guarded now, by which locks; asked
    once, as an execution begins. ``reach``: classes whose objects count as guarded where they are
    reached from there; containers always do. ``exempt``: attributes of the guarded
    object that may be written without the lock, each with the reason.
    """

    guarded: type
    lock: str
    guards: Callable[[], Sequence[Guard]] = tuple
    reach: tuple[type, ...] = ()
    exempt: Mapping[str, str] = field(default_factory=dict)

    def methods(self) -> tuple[str, ...]:
        """The methods of the table, as calls of them are noted."""
        return tuple(f"{self.guarded.__name__}.{name}" for name in public_methods(self.guarded))
