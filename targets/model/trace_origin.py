"""Origin of the traces of a scenario."""

from __future__ import annotations

from collections.abc import Mapping

from semafuzz.harness.runs.origin import Origin
from semafuzz.targets.model.configured_target import complete
from semafuzz.targets.model.legality import without_fault
from semafuzz.targets.model.protocol import OpenTarget, Target
from semafuzz.targets.model.scenario import Scenario


def origin_of(
    target: Target, opened: OpenTarget, scenario: Scenario, libraries: Mapping[str, str] | None = None
) -> Origin:
    """The origin of runs of ``scenario``. ``libraries``: versions, where they are not
    those of ``opened``."""
    return Origin(
        target.name,
        scenario.content,
        opened.release,
        complete(target, scenario).configuration,
        opened.libraries if libraries is None else libraries,
        tuple(dict.fromkeys(one.name for task in scenario.content.tasks for one in task)),
        scenario.faults,
        lambda number: opened.program(without_fault(scenario, number)),
    )
