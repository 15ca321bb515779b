"""Scenarios of the same shape that are a step simpler, or a step beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.legality import smaller_scenarios
from semafuzz.targets.model.protocol import Plain, Target
from semafuzz.targets.model.scenario import Scenario


def moved_faults(scenario: Scenario, earlier: int = 1) -> list[Scenario]:
    """The scenario with one fault up to so many calls ``earlier``, or one later: what is
    left out before it may have made calls, or have spared some."""
    found = []
    for number, fault in enumerate(scenario.faults):
        call = int(fault.arguments["call"] or 0)
        for other in (call - 1, call + 1, *range(call - 2, call - earlier - 1, -1)):
            if other > 0:
                moved = Operation(fault.name, {**fault.arguments, "call": other})
                faults = (*scenario.faults[:number], moved, *scenario.faults[number + 1 :])
                found.append(Scenario(scenario.content, scenario.configuration, faults))
    return found


def simpler_values(scenario: Scenario, target: Target) -> Iterator[Scenario]:
    """Every scenario in which one argument, of an operation or of the set-up, has its
    first value, or the one before its own."""
    content = scenario.content
    described = target.setup_arguments()
    table = {info.name: info.arguments for info in target.operations()}
    for number, one in enumerate(content.setup):
        for changed in _simpler(one, described):
            setup = (*content.setup[:number], changed, *content.setup[number + 1 :])
            yield Scenario(Operations(setup, content.tasks), scenario.configuration, scenario.faults)
    for number, task in enumerate(content.tasks):
        for position, one in enumerate(task):
            for changed in _simpler(one, table[one.name]):
                made = (*task[:position], changed, *task[position + 1 :])
                tasks = (*content.tasks[:number], made, *content.tasks[number + 1 :])
                yield Scenario(Operations(content.setup, tasks), scenario.configuration, scenario.faults)


MANY = 64
"""Combinations of values beyond which they are not all tried."""


def under_defaults(scenario: Scenario, target: Target) -> Iterator[Scenario]:
    """The scenario under the default configuration, whole and with one operation less,
    with every combination of values: an option often matters by its size beside that
    of an argument, and neither can be changed alone."""
    if not scenario.configuration:
        return
    infos = target.operations()
    plain = Scenario(scenario.content, {}, scenario.faults)
    table = {info.name: info.arguments for info in infos}
    for base in (*smaller_scenarios(plain, infos), plain):
        tasks = base.content.tasks
        places = [
            (number, position, name, values)
            for number, task in enumerate(tasks)
            for position, one in enumerate(task)
            for name, values in table[one.name].items()
        ]
        if prod(len(values) for *_, values in places) > MANY:
            continue
        for combination in product(*(values for *_, values in places)):
            made = [list(task) for task in tasks]
            for (number, position, name, _), value in zip(places, combination, strict=True):
                one = made[number][position]
                made[number][position] = Operation(one.name, {**one.arguments, name: value})
            yield Scenario(Operations(base.content.setup, tuple(map(tuple, made))), {}, base.faults)


def _simpler(one: Operation, choices: Mapping[str, Sequence[Plain]]) -> Iterator[Operation]:
    for name, values in choices.items():
        ranked = list(values)
        if one.arguments[name] in ranked:
            rank = ranked.index(one.arguments[name])
            for other in dict.fromkeys((0, rank - 1)):
                if 0 <= other < rank:
                    yield Operation(one.name, {**one.arguments, name: ranked[other]})
