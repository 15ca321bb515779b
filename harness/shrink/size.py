"""Size of a run: what minimising makes less of.

A strict order. First the preemptions, because each is one thing that a person has
to understand; then how often the run changes from one task to another; then how
many exceptions from the natural schedule it takes to say it; and last, so that
equally simple runs have one least among them, the turns themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.event_kinds import GIVES_WAY
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.outcome import Decision, Outcome
from semafuzz.harness.kernel.task import Pending, RawEvent, Task

Turn = tuple[int, int]
"""``(task, minus the number of its events)``: a stretch in which one task runs."""


class Size(NamedTuple):
    """Compared field by field; the smaller, the simpler.

    ``preemptions``: how often a task was left that could have gone on.
    ``switches``: how often the next event is another task's. ``directives``:
    exceptions from the natural schedule. ``turns``: who ran, and for how long;
    a lower number goes before a higher one, a longer stretch before a shorter.
    """

    preemptions: int
    switches: int
    directives: int
    turns: tuple[Turn, ...]


def turns(events: Sequence[RawEvent]) -> tuple[Turn, ...]:
    """The stretches of a run, in order."""
    found: list[Turn] = []
    task: Task | None = None
    start = 0
    for number, event in enumerate(events):
        if event[1] is not task:
            if task is not None:
                found.append((task.index, start - number))
            task, start = event[1], number
    if task is not None:
        found.append((task.index, start - len(events)))
    return tuple(found)


def switches(events: Sequence[RawEvent]) -> int:
    """How often the task changes from one event to the next."""
    return max(0, len(turns(events)) - 1)


def preemptions(outcome: Outcome) -> int:
    """How often a task was left that could have gone on, or a time-out ran out while
    another task could."""
    early = {step for step, *_ in outcome.early_timeouts}
    return len(early) + sum(decision.step not in early for decision in interruptions(outcome))


def interruptions(outcome: Outcome) -> Iterator[Decision]:
    """The choices that took the turn from a task which could have gone on.

    A task that sleeps, yields, asks whether another has ended or waits with a
    time-out has given way by itself, though a scheduler may choose it again at once.
    """
    for decision in outcome.decisions:
        if decision.preemption:
            pending = decision.pending[decision.enabled.index(decision.current)]
            if not gives_way(pending, outcome.events, decision.step):
                yield decision


def gives_way(pending: Pending, events: Sequence[RawEvent], step: int) -> bool:
    """Whether the task that announced ``pending`` before event ``step``, and is
    enabled, only waits: for time to pass, or for a lock with a time-out."""
    kind, subject, _, _ = pending
    if kind in GIVES_WAY:
        return True
    if kind != op.ACQUIRE:
        return False
    lock = lock_of(subject)
    if lock is not None and lock.notified:
        return True
    for number in range(step - 1, -1, -1):
        event = events[number]
        if event[2] is subject and event[0] in (op.ACQUIRE, op.RELEASE):
            return event[0] == op.ACQUIRE
    return False


def interrupted_operation(decision: Decision) -> tuple[int, int, object, int]:
    """Which operation of which task waits through a preemption."""
    kind, _, name, site = decision.pending[decision.enabled.index(decision.current)]
    return (decision.current, kind, name if isinstance(name, str) else None, site)
