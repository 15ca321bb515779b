"""Order of scenarios by size, for choosing the one to show a person."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from semafuzz.targets.model.protocol import Plain, Target
from semafuzz.targets.model.scenario import Scenario


def key_of(scenario: Scenario) -> bytes:
    """The same for equal scenarios, and for no others."""
    return msgspec.json.encode((scenario.content, scenario.configuration, scenario.faults), order="sorted")


def size_of(scenario: Scenario, target: Target) -> tuple[int | bytes, ...]:
    """Smaller is simpler: first fewer operations, then fewer faults, options and
    tasks, then fewer instances and simpler values; of equals the first in the
    alphabet, so that there is one smallest."""
    content = scenario.content
    operations = [one for task in content.tasks for one in task]
    described = {"role": list(target.roles()), **target.setup_arguments()}
    table = {info.name: info.arguments for info in target.operations()}
    values = sum(_rank(one.arguments[name], choices) for one in content.setup for name, choices in described.items())
    for one in operations:
        values += sum(_rank(one.arguments[name], choices) for name, choices in table[one.name].items())
    instances = sum(int(one.arguments["instance"] or 0) for one in content.setup)
    options = {option.name: option.legal for option in target.options()}
    values += sum(_rank(value, options.get(name, ())) for name, value in scenario.configuration.items())
    places = sum(int(fault.arguments["call"] or 0) for fault in scenario.faults)
    return (
        len(operations),
        len(scenario.faults),
        len(scenario.configuration),
        len(content.tasks),
        len(content.setup),
        instances,
        values,
        places,
        key_of(scenario),
    )


def _rank(value: object, choices: Sequence[Plain | float]) -> int:
    return next((rank for rank, one in enumerate(choices) if one == value and type(one) is type(value)), len(choices))
