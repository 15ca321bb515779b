"""Conditions that are used as they are not meant, in one execution.

Who waits for a condition looks at what it waits for before, under the condition's lock, and once more after: between
the notification and the moment at which it has the lock again, another task may have taken what was announced. So the
documentation of ``threading.Condition`` puts ``wait`` into a loop.

*Not looked again*: before the wait a task read what others write, and after it the first thing that it touches of
that is touched elsewhere: the place that looked has not come again. (A loop, in the function or around it, comes to
the same place.)

*Not looked at all*: it waits without having read anything that others write since it took the lock, and the condition
had been notified before, when nobody waited: had that notification been the only one, it would wait for ever.

``wait_for`` and what the standard library does with conditions of its own is left out. It misses what is guarded by
state that is not looked into, and code that looks again where nothing depends on it. It is wrong where one waiter and
one notification is all there can be, and where waiting for the *next* notification is meant (a clock's tick). So none
of it is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.doubles.locks import WaiterLock
from semafuzz.harness.kernel.frames import is_machinery
from semafuzz.harness.kernel.locations import Key, coarse_key
from semafuzz.harness.kernel.outcome import ConditionUse, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent

_READS: Final = frozenset({op.READ, op.READ_ITEM, op.READ_ALL})
_WAKES: Final = frozenset({op.ACQUIRE, op.TIMEOUT})


class MisusedWait(NamedTuple):
    """``condition`` is waited for at ``site``. ``looked``: where it looked before, ``used``: what it came to
    afterwards; ``unheard``: or else the notification before it that woke nobody."""

    condition: object
    site: int
    looked: int = 0
    used: int = 0
    unheard: int = 0


def misused_waits(outcome: Outcome) -> Iterator[MisusedWait]:
    """Those of one execution."""
    waits = [wait for wait in outcome.waits if not is_machinery(SITES[wait[3]].filename)]
    if not waits:
        return
    writes: dict[Key, list[tuple[int, int]]] = {}
    by_task: dict[int, list[tuple[int, RawEvent]]] = {}
    for number, event in enumerate(outcome.events):
        kind, task, subject, name, _ = event
        by_task.setdefault(task.index, []).append((number, event))
        if kind in op.WRITES:
            writes.setdefault(coarse_key(kind, subject, name), []).append((number, task.index))
    for wait in waits:
        events = by_task.get(wait[1].index)
        found = None if events is None else _judged(wait, events, writes, outcome.unheard)
        if found is not None:
            yield found


def _judged(
    wait: ConditionUse,
    events: Sequence[tuple[int, RawEvent]],
    writes: Mapping[Key, Sequence[tuple[int, int]]],
    unheard: Sequence[ConditionUse],
) -> MisusedWait | None:
    step, task, condition, site = wait
    lock = vars(condition).get("_lock")
    began = events[0][0]
    before = [event for number, event in events if number < step]
    taken = max((place for place, event in enumerate(before) if event[0] == op.ACQUIRE and event[2] is lock), default=0)
    looked = [
        event
        for event in before[taken:]
        # What main wrote before it started this one can not change any more.
        if event[0] in _READS and any(at > began and who != task.index for at, who in writes.get(_key(event), ()))
    ]
    if not looked:
        earlier = [where for at, who, whom, where in unheard if whom is condition and at < step and who is not task]
        return MisusedWait(condition, site, unheard=earlier[-1]) if earlier else None
    after = [event for number, event in events if number >= step]
    wakes = [place for place, event in enumerate(after) if event[0] in _WAKES and isinstance(event[2], WaiterLock)]
    if not wakes:
        return None
    places = {event[4] for event in looked}
    keys = {_key(event) for event in looked}
    used = next((event for event in after[wakes[0] :] if event[0] in op.MEMORY and _key(event) in keys), None)
    if used is None or used[4] in places:
        return None
    return MisusedWait(condition, site, looked=looked[-1][4], used=used[4])


def _key(event: RawEvent) -> Key:
    return coarse_key(event[0], event[2], event[3])
