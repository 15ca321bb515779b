"""Scenarios of a target: its programs, with configuration and faults."""

from __future__ import annotations

from hypothesis import strategies as st

from semafuzz.strategies.generate.configuration import configurations
from semafuzz.strategies.generate.fault_plans import fault_plans
from semafuzz.strategies.generate.programs import MAX_OPERATIONS, MAX_TASKS, programs
from semafuzz.targets.model.protocol import Target
from semafuzz.targets.model.scenario import Scenario


@st.composite
def scenarios(
    draw: st.DrawFn,
    target: Target,
    *,
    max_tasks: int = MAX_TASKS,
    max_operations: int = MAX_OPERATIONS,
    faults: bool = True,
    configuration: bool = True,
) -> Scenario:
    """A program of ``target``; one in three with faults, one in four under another
    configuration. Shrinks towards the smallest program without either."""
    content = draw(
        programs(
            target.operations(),
            target.roles(),
            target.setup_arguments(),
            max_tasks=max_tasks,
            max_operations=max_operations,
        )
    )
    options = target.options() if configuration and draw(st.integers(0, 3)) == 3 else ()
    infos = target.faults() if faults and draw(st.integers(0, 2)) == 2 else ()
    return Scenario(
        content, draw(configurations(options, least=1)), draw(fault_plans(infos, len(content.tasks), least=1))
    )
