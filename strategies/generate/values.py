"""Values by which arguments and instances are described."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets.model.protocol import Plain
from semafuzz.targets.model.scenario import Scenario

Values = Mapping[str, Plain]
"""One for each name."""


def products(choices: Mapping[str, Sequence[Plain]]) -> list[Values]:
    """Every choice of one value for each name, the first ones first."""
    return [dict(zip(choices, chosen, strict=True)) for chosen in itertools.product(*choices.values())]


def described_by(values: Values, scenario: Scenario) -> Scenario:
    """The same, with every instance described by these values."""
    setup = tuple(Operation(one.name, {**one.arguments, **values}) for one in scenario.content.setup)
    return replace(scenario, content=Operations(setup, scenario.content.tasks))
