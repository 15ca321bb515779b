"""The programs in which an operation comes to a method beside another operation, the promising ones first."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.task import RawEvent
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation
from semafuzz.strategies.fuzz.small_scope import SmallScope, in_turn
from semafuzz.strategies.generate.values import Values, described_by, products
from semafuzz.targets.model.configured_target import configure
from semafuzz.targets.model.protocol import ImpossibleStartError, Target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.scenario_order import key_of

LOOKING = 4000
"""Runs of one task in which an operation is looked for that comes to the method when a call of it fails."""
MOST_OPERATIONS = 4
"""Of those that come to a method."""
OFTEN = 3
"""The weight of an operation that runs all the time."""
TIMES, AGAIN = 8, 3
"""How often two operations come, at most, where one of them does and where none."""
MORE = 2
"""As many changes in the method, for values that matter to it."""
FAULTS = 6
"""Faults by which an operation comes to the method, at most."""

_CALLS = frozenset({op.CALL, op.RETURN})
Run = Callable[[Scenario, Scheduler], Outcome]
"""One execution of the unchanged code, with events for calls."""


class MethodPrograms:
    """The programs of a target's methods; the same for the same seed. ``run`` tells what an operation comes to."""

    def __init__(self, target: Target, run: Run, seed: int) -> None:
        self._target, self._run, self._seed = target, run, seed
        self._weights = {info.name: info.weight for info in target.operations()}
        self._scope = SmallScope(target, self._calls_of, seed)

    def plainer(self, scenario: Scenario) -> Scenario | None:
        """The same on the simplest instances; None where they are."""
        return self._scope.plainer(scenario)

    def reaching(self, method: str) -> tuple[tuple[str, ...], Iterator[Scenario]]:
        """The operations that come to the method, and programs of one of them beside another operation."""
        alone = self._reached(method)
        if alone:
            return tuple(alone), self._programs(method, list(alone), list(alone.values()))
        failing = [one for one in self._scope.singles() if one.faults and len(names_of(one)) == 1]
        random.Random(f"{self._seed} {method}").shuffle(failing)
        left = iter(failing[:LOOKING])
        first = next((one for one in left if self._comes_to(method, one)), None)
        if first is None:
            return (), iter(())
        (name,) = names_of(first)
        coming = (one for one in left if names_of(one) == [name] and self._comes_to(method, one))
        tried = [first, *itertools.islice(coming, FAULTS - 1)]
        programs = self._programs(method, [name], tried)
        return (name,), self._with_faults(method, name, [one.faults[0] for one in tried], programs)

    def _programs(self, method: str, names: Sequence[str], alone: Sequence[Scenario]) -> Iterator[Scenario]:
        """Programs of one of these operations beside another one: in turn those in which every instance is described
        by values that matter to the method, and others."""
        made = in_turn([self._on_the_same(self._changing(method, alone), names), iter(self._by_worth(names))])
        met: set[bytes] = set()
        for scenario in made:
            key = key_of(scenario)
            if key not in met:
                met.add(key)
                yield scenario

    def _changing(self, method: str, alone: Sequence[Scenario]) -> list[Values]:
        """The values with which the method, in one of these programs of one task, changes more than ``MORE`` times
        what it changes with the simplest ones; most first."""
        choices = products(self._target.setup_arguments())
        written = [
            max(self._written_in(method, self._events_of(described_by(values, one))) for one in alone)
            for values in choices
        ]
        order = sorted(range(len(choices)), key=lambda number: -written[number])
        return [choices[number] for number in order if written[number] > MORE * written[0]]

    def _on_the_same(self, changing: Sequence[Values], operations: Sequence[str]) -> Iterator[Scenario]:
        """Programs of one of these operations beside another one, the likelier first, in which every instance is
        described by the same of these values: what the method changes for one is then of use to another."""
        firsts = [one for number, one in SmallScope(self._target, self._calls_of, self._seed).pairs() if not number]
        beside = [one for one in firsts if not set(operations).isdisjoint(names_of(one))]
        for scenario in sorted(beside, key=lambda one: -max(self._weights[other] for other in names_of(one))):
            yield from (described_by(values, scenario) for values in changing)

    def _with_faults(
        self, method: str, name: str, faults: Sequence[Operation], programs: Iterable[Scenario]
    ) -> Iterator[Scenario]:
        """These programs of an operation beside another one, each with the first of these faults of the one with
        which it comes to the method there."""
        fitting: dict[str, Operation | None] = {}
        for scenario in programs:
            done = [
                (place, one) for place, task in enumerate(scenario.content.tasks) for one in task if one.name == name
            ]
            if not done:
                continue
            task, operation = done[0]
            # What it comes to depends on its instance.
            number = operation.arguments.get("instance")
            on = str([one.arguments for one in scenario.content.setup if one.arguments.get("instance") == number])

            def failing(fault: Operation, scenario: Scenario = scenario, task: int = task) -> Scenario:
                planned = Operation(fault.name, {**fault.arguments, "task": task})
                return Scenario(scenario.content, scenario.configuration, (planned,))

            on = on.replace(f"'instance': {number}", "")
            if on not in fitting:
                fitting[on] = next((one for one in faults if self._comes_to(method, failing(one), task)), None)
            found = fitting[on]
            if found is not None:
                yield failing(found)

    def _by_worth(self, operations: Sequence[str]) -> list[Scenario]:
        """Programs of one of these operations beside another one, again and again on other instances: two that want
        most of everything have no room together, and some operations are for small ones. What runs all the time comes
        as much more often, on instances with which it does something of its own."""
        often = sorted({*operations, *(name for name, weight in self._weights.items() if weight >= OFTEN)})
        found: list[tuple[float, int, Scenario]] = []
        for repeats, target in ((False, self._target), (True, configure(self._target, (), often))):
            scope = SmallScope(
                target, self._calls_of, self._seed, self._places_of if repeats else lambda _: frozenset()
            )
            for number, scenario in scope.pairs():
                names = names_of(scenario)
                wanted = 0 < number < TIMES if repeats else number < AGAIN
                if wanted and not set(operations).isdisjoint(names):
                    worth = (number + 1) / max(self._weights[name] for name in names)
                    found.append((worth, len(found), scenario))
        return [scenario for *_, scenario in sorted(found, key=lambda one: one[:2])]

    def _reached(self, method: str) -> dict[str, Scenario]:
        """The operations that come to the method by themselves, each with a program of it alone: of those in which it
        changes something the likeliest, and those in which it changes most."""
        found: dict[str, tuple[int, int, int]] = {}
        alone: dict[str, Scenario] = {}
        for scenario in self._scope.essentials():
            events = self._events_of(scenario)
            if any(event[0] == op.CALL and event[3] == method for event in events):
                (name,) = names_of(scenario)
                worth = (-self._weights[name], -self._written_in(method, events), len(events))
                if name not in found or worth < found[name]:
                    found[name], alone[name] = worth, scenario
        changing = [name for name, (_, written, _) in found.items() if written]
        # One of those that change nothing alone stands for all.
        kept = sorted(changing or found, key=found.__getitem__)[: MOST_OPERATIONS if changing else 1]
        return {name: alone[name] for name in kept}

    def _written_in(self, method: str, events: Sequence[RawEvent]) -> int:
        """How often something is written from the first call of the method to the end of the last."""
        calls = [step for step, event in enumerate(events) if event[0] in _CALLS and event[3] == method]
        return sum(event[0] in op.WRITES for event in events[calls[0] : calls[-1]]) if calls else 0

    def _comes_to(self, method: str, scenario: Scenario, task: int = 0) -> bool:
        return any(kind == op.CALL and name == method for kind, _, _, name, _ in self._events_of(scenario, task))

    def _places_of(self, scenario: Scenario) -> frozenset[int]:
        return frozenset(site for *_, site in self._events_of(scenario))

    def _calls_of(self, scenario: Scenario) -> list[str]:
        return [str(name) for kind, _, _, name, _ in self._events_of(scenario) if kind == op.IO]

    def _events_of(self, scenario: Scenario, task: int = 0) -> Sequence[RawEvent]:
        """Of a run in which this task goes first to its end."""
        order = (task, *(other for other in range(len(scenario.content.tasks)) if other != task))
        try:
            outcome = self._run(scenario, SerialOrder(order))
        except ImpossibleStartError:
            return ()
        return outcome.events


def names_of(scenario: Scenario) -> list[str]:
    """Of all its operations, task by task."""
    return [one.name for task in scenario.content.tasks for one in task]
