"""Accesses to memory with the locks that are held at each, which is where two tasks can meet.

The lockset of each access, as in Savage et al., "Eraser: a dynamic data race detector for multithreaded programs",
1997.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import LOOKS, Key, coarse_key
from semafuzz.harness.kernel.task import RawEvent

OPENING, CLOSING = frozenset({op.ACQUIRE, op.ENTER}), frozenset({op.RELEASE, op.EXIT})
"""Events with which a section under a lock begins and ends."""


class Touch(NamedTuple):
    """An access: to what, the locks that are held, and whether it writes."""

    key: Key
    locks: frozenset[object]
    writes: bool

    def meets(self, other: Touch) -> bool:
        """Whether the order of two accesses to one place can change, and matters."""
        return (self.writes or other.writes) and not self.locks & other.locks


def touches_of(events: Sequence[RawEvent]) -> Iterator[tuple[int, int, Touch]]:
    """Each access to memory: its number, that of its task, and what it touches under which locks."""
    held: dict[int, list[object]] = {}
    locked: dict[int, frozenset[object]] = {}
    unlocked: frozenset[object] = frozenset()
    for step, (kind, owner, subject, name, _) in enumerate(events):
        if kind in op.MEMORY:
            locks = locked.get(owner.index, unlocked)
            yield step, owner.index, Touch(coarse_key(kind, subject, name), locks, kind not in LOOKS)
        elif kind in OPENING:
            mine = held.setdefault(owner.index, [])
            mine.append((address(subject), name))
            locked[owner.index] = frozenset(mine)
        elif kind in CLOSING:
            mine = held.get(owner.index, [])
            if (address(subject), name) in mine:
                mine.remove((address(subject), name))
                locked[owner.index] = frozenset(mine)
