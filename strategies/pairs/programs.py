"""The programs of a pair of operations: each argument and each start state, the simplest among the first."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Mapping

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.generate.programs import MAX_INSTANCES, Wish, granted
from semafuzz.strategies.generate.values import products
from semafuzz.targets.model.protocol import OperationInfo, Plain, Target
from semafuzz.targets.model.scenario import Scenario

MOST = 32
"""Programs of one pair."""
_MOST_DRAWN = 2000
"""Combinations of values from which these are taken."""

Unit = tuple[OperationInfo, ...]
"""Operations that one task does one after the other: one, or one and what gives back what it took."""
Pair = tuple[Unit, Unit]


def units_of(target: Target) -> list[Unit]:
    """Every operation by itself, but for those that only give back what another one took, and both together."""
    table = {info.name: info for info in target.operations()}
    chains = [tuple(table[name] for name in chain) for chain in target.chains() if {*chain} <= table.keys()]
    second = {info.name for chain in chains for info in chain[1:]}
    return [*((info,) for info in table.values() if info.name not in second), *chains]


def name_of(unit: Unit) -> str:
    """The operations of a unit, for a person."""
    return "; ".join(info.name for info in unit)


def pairs_of(target: Target, seed: int) -> list[Pair]:
    """Every two units, each with itself too. The likelier ones come first, and of these the same order for a seed."""
    found = list(itertools.combinations_with_replacement(units_of(target), 2))
    random.Random(f"{seed} pairs").shuffle(found)
    return sorted(found, key=lambda pair: -max(info.weight for unit in pair for info in unit))


def programs_of(target: Target, pair: Pair, seed: int, most: int = MOST) -> list[Scenario]:
    """Programs of two tasks, each a unit of the pair. The first has the first value of each argument; the others come
    in an order of their own."""
    tasks = [list(unit) for unit in pair]
    described = products(target.setup_arguments())
    values = [products(info.arguments) for task in tasks for info in task]
    drawn = list(itertools.islice(itertools.product(described, *values), _MOST_DRAWN))
    rest = drawn[1:]
    random.Random(f"{seed} {name_of(pair[0])} {name_of(pair[1])}").shuffle(rest)
    found: list[Scenario] = []
    configurations = target.configurations()
    for number, (start, *arguments) in enumerate([drawn[0], *rest] * len(configurations)):
        # Each of them under each configuration, in turn.
        configuration = configurations[(number + number // len(drawn)) % len(configurations)]
        given = iter(arguments)
        wishes = [[Wish(info, int(info.on_instance), dict(next(given))) for info in task] for task in tasks]
        made = granted(wishes, target.roles(), [start] * MAX_INSTANCES)
        if made is None or list(map(len, made.tasks)) != list(map(len, tasks)):
            continue
        scenario = Scenario(made if made.setup else _with_bystander(made, target, start), configuration)
        if scenario not in found:
            found.append(scenario)
        if len(found) == most:
            break
    return found


def _with_bystander(content: Operations, target: Target, described: Mapping[str, Plain]) -> Operations:
    """The program beside an instance in the role that most operations begin with."""
    roles = target.roles()
    if not roles:
        return content
    begun = Counter(info.before for info in target.operations() if info.before in roles)
    role = begun.most_common(1)[0][0] if begun else roles[0]
    return Operations((Operation("instance", {"instance": 1, "role": role, **described}),), content.tasks)
