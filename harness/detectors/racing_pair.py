"""The two code places behind a failure: who was interrupted where, and by what.

A run that fails has preemptions. For each, the operation that was put off is
compared with what the other tasks did meanwhile; two operations on one location,
one of them a write, are a pair. The pair of the last preemption that has one is
shown: in a run with the fewest preemptions each of them is needed.

It can be wrong: it names places that conflict at a preemption, which is not yet a
proof that they cause the failure; and where a failure needs no preemption (an
order of whole operations suffices) it names the last conflict between two tasks.
"""

from __future__ import annotations

from harness.kernel import operations as op
from harness.kernel.outcome import Outcome
from harness.kernel.task import RawEvent

_CONTAINER = frozenset({op.READ_ITEM, op.WRITE_ITEM, op.READ_ALL, op.WRITE_ALL})
_WRITING = frozenset({op.WRITE, op.WRITE_ITEM, op.WRITE_ALL})
_LOOK_BACK = 2000


def _overlap(kind: int, subject: object, name: object, event: RawEvent) -> bool:
    """Whether the event is on the location, and one of the two writes."""
    other, _, whom, what, _ = event
    if whom is not subject or subject is None or other not in op.MEMORY:
        return False
    if kind not in _WRITING and other not in _WRITING:
        return False
    if kind in _CONTAINER and other in _CONTAINER:
        return name == what or name is None or what is None
    return name == what and kind not in _CONTAINER and other not in _CONTAINER


def racing_pair(outcome: Outcome) -> tuple[int, ...]:
    """``(site of the interrupted task, site of the other)``, or () for none."""
    events = outcome.events
    for decision in reversed(outcome.decisions):
        if not decision.preemption:
            continue
        start, victim = decision.step, decision.current
        end = next((i for i in range(start, len(events)) if events[i][1].index == victim), len(events))
        window = events[start:end]
        kind, subject, name, site = decision.pending[decision.enabled.index(victim)]
        for event in window:
            if site and event[4] and _overlap(kind, subject, name, event):
                return (site, event[4])
        before = [event for event in events[max(0, start - _LOOK_BACK) : start] if event[1].index == victim]
        for mine in reversed(before):
            if mine[0] not in op.MEMORY or not mine[4]:
                continue
            for event in window:
                if event[4] and _overlap(mine[0], mine[2], mine[3], event):
                    return (mine[4], event[4])
    return _last_conflict(events)


def _last_conflict(events: list[RawEvent]) -> tuple[int, ...]:
    last: dict[tuple[int, object], RawEvent] = {}
    found: tuple[int, ...] = ()
    for event in events:
        kind, task, subject, name, site = event
        if kind not in op.MEMORY or not site:
            continue
        key = (id(subject), name)
        previous = last.get(key)
        if previous is not None and previous[1] is not task and _overlap(kind, subject, name, previous):
            found = (previous[4], site)
        if previous is None or kind in _WRITING or previous[0] not in _WRITING:
            last[key] = event
    return found
