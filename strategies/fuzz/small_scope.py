"""All small programs of a target, one after the other.

Most defects show in a program of one or two operations (the small-scope hypothesis:
Jackson, Damon, "Elements of style: analyzing a software design feature with a
counterexample detector", 1996). What is drawn at random meets a certain pair of
operations rarely; here each pair has its turn before any has a second one:

1. every operation alone, with each value that describes an instance;
2. every two operations one after the other on an instance, where the second needs what
   the first one leaves;
3. every operation alone with each fault at each call that it fits, the operations in turn;
4. every two operations beside each other, short ones first, then the likelier ones, variants of others last. The
   first instance has most parts in the first pass over all pairs; what
   describes the others, and it in later passes, is drawn.

Where no operation is on an instance, there is one all the same: in the first pass in the role
that most operations begin with, later in any.

Not covered: faults beside another operation, configuration, longer programs.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.generate.programs import MAX_INSTANCES, Wish, granted
from semafuzz.targets.model.protocol import OperationInfo, Plain, Target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.scenario_order import key_of

MOST_VALUES = 40
"""Ways to describe an instance that an operation alone is tried with."""
FAULTS_PER_PAIR = 16
"""So many faults for each pair: a program with a fault is one execution, a pair dozens."""
RICH = 2
"""Values at the end, which stand for what has most parts."""
SHORT = 6
"""Calls that two operations make together, up to which they are a short pair."""
PASSES = 4
"""Passes over all pairs, at most."""

Values = Mapping[str, Plain]
CallsOf = Callable[[Scenario], Sequence[str]]
"""The names of the I/O points that the one task of a scenario comes to, in order."""


def small_scenarios(target: Target, calls_of: CallsOf, seed: int) -> Iterator[Scenario]:
    """The small programs of a target; the same for the same seed."""
    scope = _SmallScope(target, random.Random(seed))
    met: set[bytes] = set()
    mixed = _mixed(scope.failing(calls_of), scope.pairs(calls_of), FAULTS_PER_PAIR)
    for scenario in itertools.chain(scope.alone(), scope.chains(), mixed):
        key = key_of(scenario)
        if key not in met:
            met.add(key)
            yield scenario


def _has_variant(pair: Sequence[OperationInfo]) -> bool:
    return any(one.like for one in pair)


class _SmallScope:
    def __init__(self, target: Target, generator: random.Random) -> None:
        self._target = target
        self._table = target.operations()
        self._generator = generator
        self._values = _products(target.setup_arguments())

    def alone(self) -> Iterator[Scenario]:
        """Every operation alone. The last values come first: what is wrong with what has
        most parts explains what is wrong with fewer."""
        values = self._values[::-1][:MOST_VALUES]
        for described in values if self._target.roles() else values[:1]:
            for info in self._table:
                for arguments in _products(info.arguments)[:MOST_VALUES]:
                    yield from self._program([[(info, arguments)]], [described] * MAX_INSTANCES)

    def chains(self) -> Iterator[Scenario]:
        """Every two operations on an instance, one after the other."""
        for first, second in sorted(itertools.product(self._table, repeat=2), key=_has_variant):
            if first.on_instance and second.on_instance and first.after == second.before:
                yield from self._program([[(info, self._drawn(info)) for info in (first, second)]], self._described())

    def failing(self, calls_of: CallsOf) -> Iterator[Scenario]:
        """Every operation alone with one fault; the simplest instance beside what is on none.
        The operations take turns, so that one with many calls keeps none of the others waiting."""
        infos = list(self._table)
        self._generator.shuffle(infos)
        for variants in (False, True):
            left = [self._failing_in(info, calls_of) for info in infos if bool(info.like) == variants]
            while left:
                for programs in list(left):
                    found = next(programs, None)
                    if found is None:
                        left.remove(programs)
                    else:
                        yield found

    def _failing_in(self, info: OperationInfo, calls_of: CallsOf) -> Iterator[Scenario]:
        described = self._described() if info.on_instance else [self._values[0]]
        for plain in self._program([[(info, self._drawn(info))]], described):
            calls = calls_of(plain)
            for fault in self._target.faults():
                for number in range(1, 1 + sum(map(fault.fits, calls))):
                    planned = Operation(fault.name, {"task": 0, "call": number})
                    yield Scenario(plain.content, plain.configuration, (planned,))

    def pairs(self, calls_of: CallsOf) -> Iterator[Scenario]:
        """Every two operations, in several passes."""
        found = list(itertools.combinations_with_replacement(self._table, 2))
        lengths = {info.name: self._length(info, calls_of) for info in self._table}
        for number in range(PASSES):
            for first, second in sorted(found, key=lambda pair: self._place(pair, lengths)):
                tasks = [[(info, self._drawn(info))] for info in (first, second)]
                described = self._described()
                richest = [self._values[-1], *described[1:]]
                yield from self._program(tasks, described if number else richest, usual=not number)

    def _length(self, info: OperationInfo, calls_of: CallsOf) -> int:
        plain = next(self._program([[(info, self._drawn(info))]], self._values[:1] * MAX_INSTANCES), None)
        return 0 if plain is None else len(calls_of(plain))

    def _place(
        self, pair: tuple[OperationInfo, OperationInfo], lengths: Mapping[str, int]
    ) -> tuple[bool, bool, int, float]:
        """Where a pair comes: short ones take no time; then the likelier of the two counts,
        since what runs all the time has to have met everything else before long."""
        is_long = sum(lengths[one.name] for one in pair) > SHORT
        return _has_variant(pair), is_long, -max(one.weight for one in pair), self._generator.random()

    def _drawn(self, info: OperationInfo) -> Values:
        return self._generator.choice(_products(info.arguments))

    def _described(self) -> list[Values]:
        first = self._generator.choice(self._generator.choice([self._values[-RICH:], self._values]))
        return [first, *(self._generator.choice(self._values) for _ in range(MAX_INSTANCES - 1))]

    def _program(
        self, tasks: Sequence[Sequence[tuple[OperationInfo, Values]]], described: Sequence[Values], usual: bool = False
    ) -> Iterator[Scenario]:
        """The program of these tasks, if there is one; all operations work on one instance
        where that is legal. ``usual``: whom nothing is done to is in the usual role."""
        wishes = [[Wish(info, int(info.on_instance), dict(values)) for info, values in task] for task in tasks]
        made = granted(wishes, self._target.roles(), described)
        if made is not None and list(map(len, made.tasks)) == list(map(len, tasks)):
            yield Scenario(made if made.setup else self._with_bystander(made, described[0], usual))

    def _with_bystander(self, content: Operations, described: Values, usual: bool) -> Operations:
        """The program beside an instance that nothing is done to."""
        roles = self._target.roles()
        if not roles:
            return content
        begun = Counter(info.before for info in self._table if info.before in roles)
        role = begun.most_common(1)[0][0] if usual and begun else self._generator.choice(list(roles))
        return Operations((Operation("instance", {"instance": 1, "role": role, **described}),), content.tasks)


def _products(values: Mapping[str, Sequence[Plain]]) -> list[Values]:
    """Every choice of one value for each name, the first ones first."""
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def _mixed(many: Iterator[Scenario], few: Iterator[Scenario], share: int) -> Iterator[Scenario]:
    """``share`` of the first for each of the second, until both are at their end."""
    for one in few:
        yield from itertools.islice(many, share)
        yield one
    yield from many
