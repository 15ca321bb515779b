"""Runs that do not end: who waits for whom, and who goes round in which loop."""

from __future__ import annotations

from collections import Counter

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.kernel.running import Recorded
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Task, task_of

TAIL = 5000
"""Events at the end of a run that must be without progress for a livelock."""


def describe_deadlock(execution: Recorded) -> Failure:
    """The failure for a state in which nothing is enabled and no timer runs."""
    waiting = [task for task in execution.tasks if not task.done and not task.daemon]
    parts = [_waits(task) for task in waiting]
    cycle = _cycle(waiting)
    words = "tasks wait for each other" if cycle else "nothing can wake the waiting tasks"
    sites = tuple(task.pending[3] for task in (cycle or waiting) if task.pending[3])
    message = f"{words}: " + "; ".join(parts)
    return Failure("deadlock", message, ", ".join(task.name for task in waiting), sites, "", tuple(parts))


def _waits(task: Task) -> str:
    kind, subject, _, site = task.pending
    place = SITES[site].place()
    joined = task_of(subject)
    if kind == op.JOIN and joined is not None:
        return f"{task.name} joins {joined.name} at {place}"
    lock = lock_of(subject)
    if lock is not None and lock.notified:
        return f"{task.name} waits for a notification at {place}"
    label = (lock.label if lock is not None else "") or type(subject).__name__
    held = f", held by {lock.owner.name}" if lock is not None and lock.owner is not None else ""
    return f"{task.name} waits for {label} at {place}{held}"


def _cycle(waiting: list[Task]) -> list[Task]:
    """Tasks that wait in a circle for each other's locks or ends, or []."""
    for start in waiting:
        seen: list[Task] = []
        task: Task | None = start
        while task is not None and task not in seen:
            seen.append(task)
            subject = task.pending[1]
            task = _awaited(subject)
        if task is start:
            return seen
    return []


def _awaited(subject: object) -> Task | None:
    """Whom a task waits for that waits for this: the task to end, or a lock's holder."""
    lock = lock_of(subject)
    if lock is not None:
        owner = None if lock.notified else lock.owner
    else:
        owner = task_of(subject)
    return owner if owner is not None and not owner.done else None


def describe_endless(execution: Recorded) -> Failure:
    """The failure for a run that reached its limit: a livelock where the tail
    of it made no progress, otherwise only a run that is too long to judge."""
    tail = execution.events[-TAIL:]
    loop = Counter(event[4] for event in tail if event[4])
    names = sorted({event[1].name for event in tail})
    sites = tuple(sorted(site for site, _ in loop.most_common(4)))
    places = [SITES[site].place() for site in sites]
    if len(tail) == TAIL and not any(event[0] in op.PROGRESS for event in tail):
        message = f"no progress in {TAIL} steps: {', '.join(names)} went round in {'; '.join(places) or 'a loop'}"
        return Failure("livelock", message, ", ".join(names), sites, "", tuple(places))
    message = (
        f"the execution was cut after {len(execution.events)} events and {len(execution.decisions)} "
        f"decisions; it may not end, or the limit is too small for it"
    )
    return Failure("step-limit", message, ", ".join(names), sites, "", tuple(places))
