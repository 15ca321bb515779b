"""Failures of a run of trio, in words and identities that do not vary.

What leaves the main function is a failure; nurseries wrap it in groups, which are
opened: each exception in them counts by itself. A group, its nesting and the
``Cancelled`` of those that were stopped because another failed are no part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any

import trio

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.outcome import Failure, FailureKind
from semafuzz.harness.kernel.sites import NOWHERE, SITES
from semafuzz.harness.kernel.task import RawEvent
from semafuzz.harness.kernel.task_errors import Abort, message_of, traceback_lines
from semafuzz.harness.trio_engine.await_sites import TRIO, USER, frames, owner_of
from semafuzz.harness.trio_engine.tasks import TrioTask

TAIL = 1000
"""Steps at the end of a run that must go round in circles for a livelock."""

_CIRCLE = 64
"""Different states in those steps above which they are no circle."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions in ``error``, groups opened, in the order of the groups."""
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from leaves(part)
    elif isinstance(error, trio.TrioInternalError) and error.__cause__ is not None:
        yield from leaves(error.__cause__)
    elif not isinstance(error, (trio.Cancelled, Abort)):
        yield error


def describe_error(error: BaseException, task: str, whole: BaseException | None = None) -> Failure:
    """The failure of an exception that left the run. Its place is the innermost
    frame of the code under test, or else the innermost that is not ours. ``whole``: the group
    in which it left; a handler of ``error``'s type does not catch that."""
    kind: FailureKind = "assertion" if isinstance(error, AssertionError) else "exception"
    site = innermost(error.__traceback__)
    message = message_of(error)
    if isinstance(whole, BaseExceptionGroup):
        message += f" (in {_shape(whole)})"
    return Failure(kind, message, task, (site,) if site else (), type(error).__name__, traceback_lines(error))


def _shape(error: BaseException) -> str:
    """``ExceptionGroup[ValueError, Cancelled]``."""
    if isinstance(error, BaseExceptionGroup):
        return f"{type(error).__name__}[{', '.join(_shape(one) for one in error.exceptions[:4])}]"
    return type(error).__name__


def innermost(trace: TracebackType | None) -> int:
    """The site in a traceback that identifies its exception."""
    chosen: TracebackType | None = None
    rank = TRIO + 1
    while trace is not None:
        owner = owner_of(trace.tb_frame.f_code.co_filename)
        if owner in (USER, TRIO) and owner <= rank:
            chosen, rank = trace, owner
        trace = trace.tb_next
    if chosen is None:
        return NOWHERE
    frame = chosen.tb_frame
    module = str(frame.f_globals.get("__name__", ""))
    return SITES.of_frame(frame.f_code, chosen.tb_lasti, chosen.tb_lineno, module, op.END)


def describe_deadlock(tasks: Sequence[TrioTask]) -> Failure:
    """The failure of a state in which every task is blocked and no deadline is left."""
    waiting = [task for task in tasks if not task.done and not task.daemon]
    by_trio_task = {address(task.trio_task): task for task in tasks}
    owners = {task.index: by_trio_task.get(address(_lock_owner(task))) for task in waiting}
    parts = [_waits(task, owners[task.index]) for task in waiting]
    cycle = _cycle(waiting, owners)
    words = "tasks wait for each other" if cycle else "nothing can wake the waiting tasks"
    involved = cycle or [task for task in waiting if task.pending[0] != op.JOIN] or waiting
    sites = tuple(task.pending[3] for task in involved if task.pending[3])
    names = ", ".join(task.name for task in waiting)
    return Failure("deadlock", f"{words}: {'; '.join(parts)}", names, sites, "", tuple(parts))


def _waits(task: TrioTask, owner: TrioTask | None) -> str:
    kind, _, name, site = task.pending
    what = "for its nursery" if kind == op.JOIN else f"in {name}"
    held = f", held by {owner.name}" + (", which has ended" if owner.done else "") if owner is not None else ""
    return f"{task.name} waits {what} at {SITES[site].place()}{held}"


def _lock_owner(task: TrioTask) -> object:
    """The trio task that holds the lock on which ``task`` waits, or None."""
    for frame in reversed(frames(task.inner)):
        lock: Any = frame.f_locals.get("self")
        if isinstance(lock, (trio.Lock, trio.StrictFIFOLock)):
            return lock.statistics().owner
    return None


def _cycle(waiting: list[TrioTask], owners: dict[int, TrioTask | None]) -> list[TrioTask]:
    for start in waiting:
        seen: list[TrioTask] = []
        task: TrioTask | None = start
        while task is not None and task not in seen:
            seen.append(task)
            task = owners.get(task.index)
        if task is start:
            return seen
    return []


State = tuple[int, int, tuple[object, ...]]


def state_of(task: TrioTask) -> State:
    """What a loop would have to change to make progress by its own variables:
    the task, where it stands, and the plain values in its frames."""
    values: list[object] = []
    for frame in frames(task.inner):
        if owner_of(frame.f_code.co_filename) == USER:
            values += _plain(frame)
    return (task.index, task.pending[3], tuple(values))


def _plain(frame: FrameType) -> list[object]:
    found = frame.f_locals
    return [found[name] for name in sorted(found) if isinstance(found[name], (str, int, bool, bytes, type(None)))]


def describe_endless(
    tasks: Sequence[TrioTask], states: Sequence[State], events: Sequence[RawEvent], steps: int
) -> Failure:
    """The failure of a run that reached its limit of steps: a livelock where its
    last steps went round through few states, wrote nothing and finished nothing;
    otherwise only a run too long to judge.

    Misses circles through more than some dozen states, and those that write (a
    counter of attempts). Is wrong where progress hides in objects that no
    instrumented code writes.
    """
    loop = Counter(state[1] for state in states if state[1])
    names = ", ".join(sorted({tasks[state[0]].name for state in states}))
    sites = tuple(sorted(site for site, _ in loop.most_common(4)))
    places = tuple(SITES[site].place() for site in sites)
    moves = op.WRITES | {op.SPAWN, op.BEGIN, op.END}
    still = not any(event[0] in moves for event in events[-TAIL:])
    if still and len(states) >= TAIL and len(set(states)) <= _CIRCLE:
        message = f"no progress in {len(states)} steps: {names} went round in {'; '.join(places) or 'a loop'}"
        return Failure("livelock", message, names, sites, "", places)
    message = f"the execution was cut after {steps} steps between checkpoints; it may not end, or is long"
    return Failure("step-limit", message, names, sites, "", places)
