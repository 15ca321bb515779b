"""Scenarios of the same shape that are a step simpler, or a step beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.traces.schema import Operation, Operations
from targets.protocol import Plain, Target
from targets.scenario import Scenario


def moved_faults(scenario: Scenario) -> list[Scenario]:
    """The scenario with one fault a call earlier or later: what is left out before it
    may have made calls, or have spared some."""
    found = []
    for number, fault in enumerate(scenario.faults):
        call = int(fault.arguments["call"] or 0)
        for other in (call - 1, call + 1):
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


def _simpler(one: Operation, choices: Mapping[str, Sequence[Plain]]) -> Iterator[Operation]:
    for name, values in choices.items():
        ranked = list(values)
        if one.arguments[name] in ranked:
            rank = ranked.index(one.arguments[name])
            for other in dict.fromkeys((0, rank - 1)):
                if 0 <= other < rank:
                    yield Operation(one.name, {**one.arguments, name: ranked[other]})
