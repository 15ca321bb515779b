"""All small programs of a target, in the order of their worth.

Most defects show in a program of one or two operations (the small-scope hypothesis:
Jackson, Damon, "Elements of style: analyzing a software design feature with a
counterexample detector", 1996). What is drawn at random meets a certain pair of
operations rarely; here each pair has its turn before any has a second one. Four kinds, each
with an order of its own; who searches gives each its share:

- ``essentials``: every operation alone, on the simplest instance and on the one with most parts: what
  the judgement of pairs needs;
- ``pairs``: every two operations beside each other, the likelier ones first, variants of others last; and, in
  between and afterwards, again and again, the likelier ones more often. An operation that has a follower goes
  on with it, on an instance of its own. The first instance has most parts the first time; in later ones it is
  described by each of those values in turn with which the two operations, run alone, come to code that they did
  not come to before; the others are alike or drawn;
- ``singles``: what is left of one task: every operation with each value that describes an
  instance, every two operations one after the other on an instance, where the second needs what
  the first one leaves, and every operation with each fault at each call that it fits;
- ``failing_pairs``: a fault at a call of one operation, and another operation beside it.

Where no operation is on an instance, there is one all the same: the first time in the role
that most operations begin with, later in any.

Not covered: configuration, longer programs.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.fuzz.dealing import dealt
from semafuzz.strategies.generate.programs import MAX_INSTANCES, Wish, granted
from semafuzz.strategies.generate.values import Values, described_by, products
from semafuzz.targets.model.protocol import OperationInfo, Target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.scenario_order import key_of

MOST_VALUES = 40
"""Ways to describe an instance that an operation alone is tried with."""
RICH = 2
"""Values at the end, which stand for what has most parts."""
MOST_TELLING = 6
"""Values with which an operation comes to code of its own, at most."""
TIMES = 12
"""How often a pair comes, at most."""
FIRSTS_PER_REPEAT = 8
"""Pairs that come for the first time, for one that comes again. The first program of a pair shows most: half of all
pairs of Nova's operations had 43 errors between two tasks in 4,219 executions of their first programs, and three more
in 1,760 of their second ones."""
FAILING_PAIRS = 100_000
"""Draws of a pair with a fault, at most."""

Turn = tuple[bool, float, int, int]
"""Of a pair: what it is ordered by, its place among all pairs, and how often it came before."""
CallsOf = Callable[[Scenario], Sequence[str]]
"""The names of the I/O points that the one task of a scenario comes to, in order."""
PlacesOf = Callable[[Scenario], Set[int]]
"""The places in the code that the one task of a scenario comes to."""


def _has_variant(pair: Sequence[OperationInfo]) -> bool:
    return any(one.like for one in pair)


class SmallScope:
    """The small programs of a target; the same for the same seed. ``calls_of`` runs a program of one
    task, to know its calls, and ``places_of`` to know its code. Each kind is drawn by itself, so that one may be
    ahead of another."""

    def __init__(
        self, target: Target, calls_of: CallsOf, seed: int, places_of: PlacesOf = lambda scenario: frozenset()
    ) -> None:
        self._target, self._calls_of, self._places_of, self._seed = target, calls_of, places_of, seed
        self._met: set[bytes] = set()

    def essentials(self) -> Iterator[Scenario]:
        """Every operation alone, on two instances. What has most parts comes first: what is wrong
        with it explains what is wrong with fewer."""
        maker = self._maker("essentials")
        return self._new(maker.alone(maker.values[::-1][:: max(1, len(maker.values) - 1)]))

    def singles(self) -> Iterator[Scenario]:
        """Every other small program of one task."""
        maker = self._maker("singles")
        return self._new(in_turn([maker.failing(), maker.chains(), maker.alone(maker.values[::-1][:MOST_VALUES])]))

    def pairs(self, share: tuple[int, int] = (0, 1)) -> Iterator[tuple[int, Scenario]]:
        """Every two operations again and again, each time on other instances; with the number of times
        that the two had before. ``share``: of all pairs those that are dealt to this search."""
        for number, scenario in self._maker("pairs").pairs(share, TIMES):
            yield from ((number, one) for one in self._new(iter((scenario,))))

    def count_pairs(self, share: tuple[int, int] = (0, 1)) -> int:
        """How many pairs of operations there are programs of."""
        return sum(1 for _ in self._maker("pairs").pairs(share, 1))

    def plainer(self, scenario: Scenario) -> Scenario | None:
        """The same on the simplest instances, for what cannot start on those of most parts; None where they are."""
        simplest = products(self._target.setup_arguments())[0]
        plain = described_by(simplest, scenario)
        return None if plain == scenario else plain

    def failing_pairs(self) -> Iterator[Scenario]:
        """Two operations, one of which meets a fault, drawn one after the other."""
        return self._new(self._maker("failing pairs").failing_pairs())

    def _maker(self, kind: str) -> _Maker:
        return _Maker(self._target, self._calls_of, self._places_of, random.Random(f"{self._seed} {kind}"))

    def _new(self, programs: Iterator[Scenario]) -> Iterator[Scenario]:
        for scenario in programs:
            key = key_of(scenario)
            if key not in self._met:
                self._met.add(key)
                yield scenario


class _Maker:
    def __init__(self, target: Target, calls_of: CallsOf, places_of: PlacesOf, generator: random.Random) -> None:
        self._target = target
        self._calls_of = calls_of
        self._places_of = places_of
        self._table = target.operations()
        self._named = {info.name: info for info in self._table}
        self._telling_values: dict[str, list[Values]] = {}
        self._generator = generator
        self.values = products(target.setup_arguments())

    def alone(self, values: Sequence[Values]) -> Iterator[Scenario]:
        """Every operation alone, with each of these descriptions."""
        for described in values if self._target.roles() else values[:1]:
            for info in self._table:
                for arguments in products(info.arguments)[:MOST_VALUES]:
                    yield from self._program([[(info, arguments)]], [described] * MAX_INSTANCES)

    def chains(self) -> Iterator[Scenario]:
        """Every two operations on an instance, one after the other."""
        for first, second in sorted(itertools.product(self._table, repeat=2), key=_has_variant):
            if first.on_instance and second.on_instance and first.after == second.before:
                yield from self._program([[(info, self._drawn(info)) for info in (first, second)]], self._described())

    def failing(self) -> Iterator[Scenario]:
        """Every operation alone with one fault; the simplest instance beside what is on none.
        The operations take turns, so that one with many calls keeps none of the others waiting."""
        for info in self._table:
            if info.follower in self._named:
                tasks = [self._with_follower([(info, self._drawn(info))])]
                for plain in self._program(tasks, [self.values[-1]] * MAX_INSTANCES, usual=True):
                    yield from self._with_each_fault(plain)
        infos = list(self._table)
        self._generator.shuffle(infos)
        for variants in (False, True):
            yield from in_turn([self._failing_in(info) for info in infos if bool(info.like) == variants])

    def _failing_in(self, info: OperationInfo) -> Iterator[Scenario]:
        described = self._described() if info.on_instance else [self.values[0]]
        for plain in self._program([[(info, self._drawn(info))]], described):
            yield from self._with_each_fault(plain)

    def _with_each_fault(self, plain: Scenario) -> Iterator[Scenario]:
        for planned in self._faults_of(plain):
            yield Scenario(plain.content, plain.configuration, (planned,))

    def _faults_of(self, plain: Scenario) -> Iterator[Operation]:
        """Each fault at each call of the one task that it fits."""
        calls = self._calls_of(plain)
        for fault in self._target.faults():
            for number in range(1, 1 + sum(map(fault.fits, calls))):
                yield Operation(fault.name, {"task": 0, "call": number})

    def failing_pairs(self) -> Iterator[Scenario]:
        """Draws of pairs with a fault."""
        draw = self._generator
        faults: dict[str, list[Operation]] = {}
        weights = [info.weight for info in self._table]
        for _ in range(FAILING_PAIRS if self._target.faults() else 0):
            first, second = draw.choice(self._table), draw.choices(self._table, weights)[0]
            tasks = [[(info, self._drawn(info))] for info in (first, second)]
            described = self._described()
            if first.name not in faults:
                alone = next(self._program(tasks[:1], described), None)
                faults[first.name] = [] if alone is None else list(self._faults_of(alone))
            if faults[first.name]:
                planned = draw.choice(faults[first.name])
                for plain in self._program(tasks, described):
                    yield Scenario(plain.content, plain.configuration, (planned,))

    def pairs(self, share: tuple[int, int], times: int) -> Iterator[tuple[int, Scenario]]:
        """All pairs, with the number of times that one had before. The likelier of the two operations counts,
        since what runs all the time has to have met everything else before long: its pairs come earlier, and
        as much more often as it is likelier."""
        found = list(itertools.combinations_with_replacement(self._table, 2))
        self._generator.shuffle(found)
        weights = [max(one.weight for one in pair) for pair in found]
        mine = dealt(found, share)
        firsts = sorted((_has_variant(found[place]), -weights[place], place, 0) for place in mine)
        repeats = sorted(
            (_has_variant(found[place]), number / weights[place], place, number)
            for place in mine
            for number in range(1, times)
        )
        for _, _, place, number in _mixed(firsts, repeats, FIRSTS_PER_REPEAT):
            tasks = [self._with_follower([(info, self._drawn(info))]) for info in found[place]]
            described = self._described_for(found[place], number)
            for made in self._program(tasks, described, usual=not number):
                yield number, made

    def _with_follower(self, task: list[tuple[OperationInfo, Values]]) -> list[tuple[OperationInfo, Values]]:
        """The task of one operation, and after it the one that comes to harm by what it leaves."""
        follower = self._named.get(task[0][0].follower)
        return task if follower is None else [*task, (follower, self._drawn(follower))]

    def _described_for(self, pair: Sequence[OperationInfo], number: int) -> list[Values]:
        """How instances are described when a pair comes for the ``number``-th time, from 0."""
        drawn = self._described()
        if not number:
            return [self.values[-1], self.values[-1], *drawn[2:]]
        telling = self._telling(pair)
        if number >= len(telling):
            return drawn
        return [telling[number], self._generator.choice([telling[number], drawn[1]]), *drawn[2:]]

    def _telling(self, pair: Sequence[OperationInfo]) -> list[Values]:
        """The values with which these operations differ, in turn."""
        found: list[Values] = []
        for values in itertools.chain.from_iterable(
            itertools.zip_longest(*(self._telling_of(info) for info in dict.fromkeys(info.name for info in pair)))
        ):
            if values is not None and values not in found:
                found.append(values)
        return found

    def _telling_of(self, name: str) -> list[Values]:
        """The values with which the operation alone comes to further code, that which adds most first
        (a greedy set cover: Chvatal, 1979), after that of most parts."""
        found = self._telling_values.get(name)
        if found is None:
            found = self._telling_values[name] = [self.values[-1]]
            info = self._named[name]
            places: list[Set[int]] = []
            for values in self.values:
                alone = next(self._program([[(info, self._drawn_first(info))]], [values], usual=True), None)
                places.append(frozenset() if alone is None else self._places_of(alone))
            covered = set(places[-1])
            while len(found) < MOST_TELLING:
                best = max(range(len(places)), key=lambda number: len(places[number] - covered))
                if not places[best] - covered:
                    break
                covered |= places[best]
                found.append(self.values[best])
        return found

    def _drawn_first(self, info: OperationInfo) -> Values:
        return products(info.arguments)[0]

    def _drawn(self, info: OperationInfo) -> Values:
        return self._generator.choice(products(info.arguments))

    def _described(self) -> list[Values]:
        first = self._generator.choice(self._generator.choice([self.values[-RICH:], self.values]))
        return [first, *(self._generator.choice(self.values) for _ in range(MAX_INSTANCES - 1))]

    def _program(
        self, tasks: Sequence[Sequence[tuple[OperationInfo, Values]]], described: Sequence[Values], usual: bool = False
    ) -> Iterator[Scenario]:
        """The program of these tasks, if there is one; all operations work on one instance
        where that is legal, followers on another one. ``usual``: whom nothing is done to is in the usual role."""
        wishes = [
            [
                Wish(info, int(info.on_instance) * (2 if place and task[0][0].follower else 1), dict(values))
                for place, (info, values) in enumerate(task)
            ]
            for task in tasks
        ]
        made = granted(wishes, self._target.roles(), described)
        if made is not None and list(map(len, made.tasks)) == list(map(len, tasks)):
            there = any(one.arguments["instance"] == 1 for one in made.setup)
            yield Scenario(made if there else self._with_bystander(made, described[0], usual))

    def _with_bystander(self, content: Operations, described: Values, usual: bool) -> Operations:
        """The program beside an instance that nothing is done to."""
        roles = self._target.roles()
        if not roles:
            return content
        begun = Counter(info.before for info in self._table if info.before in roles)
        role = begun.most_common(1)[0][0] if usual and begun else self._generator.choice(list(roles))
        bystander = Operation("instance", {"instance": 1, "role": role, **described})
        return Operations((bystander, *content.setup), content.tasks)


def _mixed(firsts: Sequence[Turn], repeats: Sequence[Turn], firsts_per_repeat: int) -> Iterator[Turn]:
    """All of both, in their orders: so many of the first kind, then one of the second."""
    rest = iter(repeats)
    for count, one in enumerate(firsts, 1):
        yield one
        if count % firsts_per_repeat == 0:
            yield from itertools.islice(rest, 1)
    yield from rest


def in_turn(many: Sequence[Iterator[Scenario]]) -> Iterator[Scenario]:
    """One of each after the other, until all are at their end."""
    left = list(many)
    while left:
        for one in list(left):
            found = next(one, None)
            if found is None:
                left.remove(one)
            else:
                yield found
