"""What a class is like before the calls that run at the same time: found by trying, one thread alone.

Calls are made to new instances, shortest sequences first, and each state that is met for the first time is one to
start from. On the way it shows which calls change nothing, so that states can be compared by them, and which come
to something else each time, so that nothing can be said of them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.shape import Shape, Shaper
from semafuzz.targets.classes.specification import Subject
from semafuzz.targets.model.scenario import describe_operation

_RUNS = 150
"""Serial runs for finding out."""
_DEEPEST, _EACH = 3, 5
"""Calls before, and start states with equally many."""

Calls = tuple[Operation, ...]
_NOTHING: Shape = ("NoneType", None)


@dataclass(slots=True)
class StartStates:
    """``before``: the calls that lead to each start state, by how they are written; the first has none.
    ``changing``: methods that changed a state; ``blocking``: those that waited for ever whenever one thread called
    them."""

    before: dict[str, Calls] = field(default_factory=dict)
    changing: set[str] = field(default_factory=set)
    blocking: set[str] = field(default_factory=set)


def find_start_states(subject: Subject) -> StartStates:
    """Try the methods of a class, and tell the subject what its readers are and what is not compared."""
    _find_unstable(subject)
    found = StartStates({"": ()})
    every = [
        Operation(name, call)
        for name, method in subject.methods.items()
        if not method.opener
        for call in method.calls()
    ]
    met: set[Shape] = {subject.raw(subject.world(()))}
    silent, blocking = True, set()
    returned: dict[str, bool] = {}
    level: list[Calls] = [()]
    runs = 0
    for _ in range(_DEEPEST):
        deeper: list[Calls] = []
        for before in level:
            start = subject.raw(subject.world(before))
            for one in every:
                if runs >= _RUNS:
                    break
                runs += 1
                returned.setdefault(one.name, False)
                run = subject.alone(before, one)
                result = run.ended.get(0)
                if result is None:
                    blocking.add(one.name)
                    continue
                returned[one.name] = True
                silent = silent and result.value.shape == _NOTHING
                if result.error is not None:
                    subject.raised.setdefault(one.name, set()).add(type(result.error).__qualname__)
                state = subject.raw(run.world)
                if state != start:
                    found.changing.add(one.name)
                if state not in met and result.error is None:
                    met.add(state)
                    deeper.append((*before, one))
        for calls in deeper[:: max(1, -(-len(deeper) // _EACH))]:
            found.before["; ".join(map(describe_operation, calls))[:200]] = calls
        level = deeper
    readers = [
        one
        for one in every
        if one.name not in found.changing | blocking | subject.relaxed and not subject.methods[one.name].marks.relaxed
    ]
    subject.readers = readers
    found.blocking = {name for name, once in returned.items() if not once}
    world = subject.world(())
    public = Shaper().attributes(world.instance, public=True) or isinstance(world.instance, (dict, list, set, deque))
    subject.sees_attributes = silent and not readers and not public
    return found


def _find_unstable(subject: Subject) -> None:
    """Methods that come to something else in an equal run, or at another time, and attributes likewise, are not
    compared."""
    for name, method in subject.methods.items():
        if method.opener:
            continue
        for call in method.calls()[:2]:
            shapes = {_at(subject, Operation(name, call), moment) for moment in (0.0, 0.0, 5000.0)}
            if len(shapes) > 1:
                subject.relaxed.add(name)
    first, *others = (dict(Shaper().attributes(subject.world((), moment).instance)) for moment in (0.0, 0.0, 5000.0))
    for other in others:
        subject.unstable |= {name for name in {*first, *other} if first.get(name) != other.get(name)}


def _at(subject: Subject, operation: Operation, moment: float) -> Shape:
    """What a call comes to, so many seconds after the beginning."""
    run = subject.alone((), operation, moment)
    found = run.ended.get(0)
    return found.value.shape if found is not None else ()
