"""Linearizability: whether calls of several tasks came to what they come to in some serial order.

The search of Wing and Gong ("Testing and verifying concurrent objects", J. Parallel and Distributed Computing 1993),
with the pruning of Lowe ("Testing for linearizability", Concurrency and Computation 2017): of two ways to the same
calls done and the same state, one is followed. The object itself, used by one thread, says what a call comes to
(see ``specification``), so that a step is a run of all calls so far; runs are kept. Deviations: the state at the
end is compared too, and a call that is still waiting may be one that no order has begun.

A run in which two calls do not overlap is judged by their order in time. The reduction of ``dpor`` takes schedules
for the same that differ in nothing but that; with one call in each of two tasks it makes no difference.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.traces.schema import Operation
from semafuzz.targets.classes.calls import Call, Raised, shape_of_result, told
from semafuzz.targets.classes.shape import Shape, Shaper
from semafuzz.targets.classes.specification import SerialRun, Subject

Order = tuple[int, ...]
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
    _results: dict[tuple[Order, frozenset[int]], tuple[Shape, ...]] = field(default_factory=dict)

    def run(self, order: Order) -> SerialRun:
        """The calls with these numbers, in this order."""
        found = self._runs.get(order)
        if found is None:
            if len(self._runs) >= _MOST_RUNS:
                raise TooManyOrders
            found = self._runs[order] = self.subject.serially(self.before, [self.operations[one] for one in order])
            # Looked at now: looking at what is observable uses it up.
            self._raw[order] = (self.subject.raw(found.world), tuple(sorted(_given(found))))
        return found

    def state(self, order: Order) -> Shape:
        """Two orders with equal ones come to the same from there on."""
        self.run(order)
        return self._raw[order]

    def results(self, order: Order, apart: frozenset[int] = frozenset()) -> tuple[Shape, ...] | None:
        """What these calls come to, in this order; None where the last one waits for ever. ``apart``: calls whose
        results do not count."""
        run = self.run(order)
        if run.blocked:
            return None
        found = self._results.get((order, apart))
        if found is None:
            found = self._results[order, apart] = self.shapes(order, run.results, run.instance, apart)
        return found

    def shapes(
        self, order: Order, results: Sequence[object], instance: object, apart: frozenset[int] = frozenset()
    ) -> tuple[Shape, ...]:
        """The shapes of results, in which the same object is told from another one; nothing of relaxed ones."""
        relaxed, shaper = self.subject.relaxed, Shaper()
        return tuple(
            ()
            if number in apart or self.operations[number][1].name in relaxed
            else shape_of_result(result, shaper, instance)
            for number, result in zip(order, results, strict=True)
        )

    def final(self, order: Order, apart: frozenset[int] = frozenset()) -> Shape:
        """Everything observable after these calls, in the order of the program. ``apart``: calls whose results do not
        count."""
        found = self._finals.get((order, apart))
        if found is None:
            # Looking at a world uses it up.
            run = self._again(order) if order in self._used_up else self.run(order)
            self._used_up.add(order)
            by_number = dict(zip(order, run.results, strict=True))
            results = [
                None if number in apart or operation.name in self.subject.relaxed else by_number.get(number)
                for number, (_, operation) in enumerate(self.operations)
            ]
            found = self._finals[order, apart] = self.subject.final(results, run.world)
        return found

    def _again(self, order: Order) -> SerialRun:
        return self.subject.serially(self.before, [self.operations[one] for one in order])

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
            run = self.run(order)
            result = dict(zip(order, run.results, strict=False)).get(number)
            if isinstance(result, Raised):
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
    orders: SerialOrders, calls: Sequence[Call], instance: object, fits: Callable[[Order], bool], *, prunes: bool
) -> Order | None:
    """A serial order, one that real time allows, in which every ended call comes to what it came to, and that
    ``fits``; None where there is none. ``prunes``: that depends on the state alone. TooManyOrders where it cannot
    be told."""
    mine = {call.number: call.result for call in calls}
    faulted = frozenset(call.number for call in calls if call.faulted)
    met: set[tuple[frozenset[int], Shape]] = set()

    def follow(order: Order, left: list[Call]) -> Order | None:
        if not left:
            return order if fits(order) else None
        first_end = min(call.ended for call in left if call.ended is not None)
        for call in left:
            if call.begun > first_end:
                continue
            longer = (*order, call.number)
            rest = [other for other in left if other is not call]
            if call.faulted and (found := follow(order, rest)) is not None:
                # It did not happen.
                return found
            results = orders.results(longer, faulted)
            if results != orders.shapes(longer, [mine[number] for number in longer], instance, faulted):
                continue
            key = (frozenset(longer), orders.state(longer))
            if prunes and key in met:
                continue
            met.add(key)
            found = follow(longer, rest)
            if found is not None:
                return found
        return None

    return follow((), [call for call in calls if call.ended is not None])


def explains(orders: SerialOrders, calls: Sequence[Call], instance: object, final: Shape) -> bool:
    """Whether some serial order comes to the same, with ``final`` at the end."""
    faulted = frozenset(call.number for call in calls if call.faulted)

    def fits(order: Order) -> bool:
        return orders.final(order, faulted) == final

    return find_order(orders, calls, instance, fits, prunes=False) is not None


def explains_waiting(orders: SerialOrders, calls: Sequence[Call], instance: object) -> bool:
    """Whether after some serial order of what has ended each call that has not waits for ever as well."""
    pending = [call for call in calls if call.ended is None and call.begun >= 0]

    def waits(order: Order) -> bool:
        return all(orders.results((*order, call.number)) is None for call in pending)

    return find_order(orders, calls, instance, waits, prunes=True) is not None


def difference(orders: SerialOrders, calls: Sequence[Call], instance: object) -> str:
    """In a few words, which say nothing of values, what no serial order comes to: an exception that none raises
    in that call, the results, or the state that they leave."""
    raised = {
        call.number: type(call.result.error) for call in calls if isinstance(call.result, Raised) and not call.faulted
    }
    for number, kind in raised.items():
        name = orders.operations[number][1].name
        serial = orders.subject.raised.get(name, set()) | orders.raised_by(number)
        if kind.__qualname__ not in serial:
            return f"raises {kind.__name__}"
    agrees = find_order(orders, calls, instance, lambda order: True, prunes=True) is not None
    return "state" if agrees else "results"


def serial_outcomes(orders: SerialOrders, most: int = 6) -> list[str]:
    """What the calls come to in each serial order, for a person."""
    found: dict[str, None] = {}
    for order in itertools.islice(orders.everything(), _SAMPLE):
        run = orders.run(order)
        results = dict(zip(order, run.results, strict=False))
        parts = [
            f"{orders.operations[number][1].name} → {told(results[number]) if number in results else 'waits for ever'}"
            for number in order[: len(results) + 1]
        ]
        found["; then ".join(parts)] = None
        if len(found) == most:
            break
    return list(found)
