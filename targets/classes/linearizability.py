"""Linearizability: whether calls of several tasks came to what they come to in some serial order.

The search of Wing and Gong ("Testing and verifying concurrent objects", J. Parallel and Distributed Computing 1993),
with the pruning of Lowe ("Testing for linearizability", Concurrency and Computation 2017): of two ways to the same
calls done and the same state, one is followed. The object itself says what calls come to that begin one after the
other (see ``serial_run``), so that a step is a run of all calls so far; runs are kept. Deviations: the state at the end
is compared too; a call that has to wait is left waiting while the next ones begin, as one that belongs to several
threads must be (a barrier, a hand-over), and where it waits with a time-out, both are tried, with and without it.

A run in which two calls do not overlap is judged by their order in time. The reduction of ``dpor`` takes schedules
for the same that differ in nothing but that; with one call in each of two tasks it makes no difference.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.calls import Call
from semafuzz.targets.classes.serial_run import SerialRun, Step
from semafuzz.targets.classes.shape import Shape, combined
from semafuzz.targets.classes.specification import Subject

Order = tuple[int, ...]
"""The numbers of calls; one that begins after time has passed is ``~number``."""
_MOST_RUNS = 3000
"""Serial runs of one program; what needs more is not judged."""
_SAMPLE = 24
"""Serial orders that are tried to see what else a call may raise."""


class TooManyOrders(Exception):
    """There are more serial orders than are tried."""


@dataclass(slots=True)
class SerialOrders:
    """The serial runs of one program's calls, each made once."""

    subject: Subject
    before: Sequence[Operation]
    operations: Sequence[tuple[int, Operation]]
    _runs: dict[Order, SerialRun] = field(default_factory=dict)
    _raw: dict[Order, Shape] = field(default_factory=dict)
    _finals: dict[tuple[Order, frozenset[int]], Shape] = field(default_factory=dict)
    _used_up: set[Order] = field(default_factory=set)

    def steps(self, order: Order) -> list[Step]:
        """An order as it is run."""
        numbered = [(number if number >= 0 else ~number, number < 0) for number in order]
        return [Step(number, *self.operations[number], late) for number, late in numbered]

    def run(self, order: Order) -> SerialRun:
        """The calls with these numbers, in this order."""
        found = self._runs.get(order)
        if found is None:
            if len(self._runs) >= _MOST_RUNS:
                raise TooManyOrders
            found = self._runs[order] = self.subject.serially(self.before, self.steps(order))
            # Looked at now: looking at what is observable uses it up.
            self._raw[order] = (self.subject.raw(found.world), tuple(sorted(_given(found))))
        return found

    def state(self, order: Order) -> Shape:
        """Two orders with equal ones come to the same from there on."""
        self.run(order)
        return self._raw[order]

    def agrees(self, order: Order, calls: Mapping[int, Call], apart: frozenset[int]) -> bool:
        """Whether the calls of this order come to what they came to, as far as they have ended. ``apart``: calls
        whose results do not count."""
        run = self.run(order)
        steps = self.steps(order)
        if not run.complete(steps):
            return False
        mine, theirs = [], []
        for step in steps:
            call, result = calls[step.number], run.ended.get(step.number)
            before = run.ended_before[step.number]
            late = [other for other in calls.values() if other.ended is not None and other.ended < call.begun]
            if any(other.number not in before and not other.faulted for other in late):
                # What had ended when it began has not ended here.
                return False
            if result is None:
                continue
            if call.came_to is None:
                return False
            if step.number not in apart and step.operation.name not in self.subject.relaxed:
                mine.append(call.came_to.value)
                theirs.append(result.value)
        return combined(mine) == combined(theirs)

    def final(self, order: Order, apart: frozenset[int] = frozenset()) -> Shape:
        """Everything observable after these calls, in the order of the program. ``apart``: calls whose results do not
        count."""
        found = self._finals.get((order, apart))
        if found is None:
            # Looking at a world uses it up.
            again = order in self._used_up
            run = self.subject.serially(self.before, self.steps(order)) if again else self.run(order)
            self._used_up.add(order)
            results = [
                None if number in apart or operation.name in self.subject.relaxed else run.ended.get(number)
                for number, (_, operation) in enumerate(self.operations)
            ]
            found = self._finals[order, apart] = self.subject.final(results, run.world)
        return found

    def everything(self) -> Iterator[Order]:
        """Every serial order of all calls that keeps each task's own."""
        tasks: dict[int, list[int]] = {}
        for number, (task, _) in enumerate(self.operations):
            tasks.setdefault(task, []).append(number)
        yield from _merged([tuple(one) for one in tasks.values()], ())

    def raised_by(self, number: int) -> set[str]:
        """The kinds of exceptions that a call raises in serial orders, of which a few are tried."""
        found: set[str] = set()
        for order in itertools.islice(self.everything(), _SAMPLE):
            result = self.run(order).ended.get(number)
            if result is not None and result.error is not None:
                found.add(type(result.error).__qualname__)
        return found


def _given(run: SerialRun) -> Iterator[str]:
    for (task, name), held in run.world.given.items():
        yield f"{task} {name} {len(held)}"


def _merged(left: list[Order], done: Order) -> Iterator[Order]:
    if not any(left):
        yield done
    for place, numbers in enumerate(left):
        if numbers:
            yield from _merged([*left[:place], numbers[1:], *left[place + 1 :]], (*done, numbers[0]))


def find_order(
    orders: SerialOrders, calls: Sequence[Call], fits: Callable[[Order], bool], *, prunes: bool
) -> Order | None:
    """A serial order, one that real time allows, in which every call that has ended comes to what it came to, every
    other one waits for ever, and that ``fits``; None where there is none. ``prunes``: that depends on the state
    alone. TooManyOrders where it cannot be told."""
    by_number = {call.number: call for call in calls}
    faulted = frozenset(call.number for call in calls if call.faulted)
    met: set[tuple[frozenset[int], Shape]] = set()

    def ends(order: Order) -> bool:
        run = orders.run(order)
        waiting = {call.number for call in calls if call.begun >= 0 and call.ended is None}
        return run.pending == waiting and fits(order)

    def follow(order: Order, left: list[Call]) -> Order | None:
        if not left:
            return order if ends(order) else None
        first_end = min((call.ended for call in left if call.ended is not None), default=None)
        for call in left:
            if first_end is not None and call.begun > first_end:
                continue
            rest = [other for other in left if other is not call]
            if call.faulted and (found := follow(order, rest)) is not None:
                # It did not happen.
                return found
            now = (*order, call.number)
            orders.run(now)
            # Where somebody waits with a time-out, that may have run out before.
            for longer in (now, (*order, ~call.number)) if orders.run(now).timed else (now,):
                if not orders.agrees(longer, by_number, faulted):
                    continue
                key = (frozenset(map(abs, longer)), orders.state(longer))
                if prunes and not orders.run(longer).pending:
                    if key in met:
                        continue
                    met.add(key)
                found = follow(longer, rest)
                if found is not None:
                    return found
        return None

    return follow((), [call for call in calls if call.begun >= 0])


def explains(orders: SerialOrders, calls: Sequence[Call], final: Shape) -> bool:
    """Whether some serial order comes to the same, with ``final`` at the end."""
    faulted = frozenset(call.number for call in calls if call.faulted)

    def fits(order: Order) -> bool:
        return orders.final(order, faulted) == final

    return find_order(orders, calls, fits, prunes=False) is not None


def explains_results(orders: SerialOrders, calls: Sequence[Call]) -> bool:
    """Whether the calls come to the same in some serial order, those that wait for ever too, whatever they leave."""
    return find_order(orders, calls, lambda order: True, prunes=True) is not None


def difference(orders: SerialOrders, calls: Sequence[Call]) -> str:
    """In a few words, which say nothing of values, what no serial order comes to: an exception that none raises
    in that call, the results, or the state that they leave."""
    for call in calls:
        error = call.came_to.error if call.came_to is not None and not call.faulted else None
        if error is not None:
            name = call.operation.name
            serial = orders.subject.raised.get(name, set()) | orders.raised_by(call.number)
            if type(error).__qualname__ not in serial:
                return f"raises {type(error).__name__}"
    return "state" if explains_results(orders, calls) else "results"


def serial_outcomes(orders: SerialOrders, most: int = 6) -> list[str]:
    """What the calls come to in each serial order, for a person."""
    found: dict[str, None] = {}
    for order in itertools.islice(orders.everything(), _SAMPLE):
        run = orders.run(order)
        parts = []
        for number in order:
            result = run.ended.get(number)
            said = result.text if result is not None else "waits for ever"
            parts.append(f"{orders.operations[number][1].name} → {said}")
        found["; then ".join(parts)] = None
        if len(found) == most:
            break
    return list(found)
