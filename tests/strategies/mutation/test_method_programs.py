"""The programs of a method of Nova's tracker: those in which what it changes matters to others come first."""

from __future__ import annotations

import itertools

import pytest

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.strategies.mutation.method_programs import MethodPrograms, names_of
from semafuzz.targets import find_target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.nova.world.flavors import FLAVORS


@pytest.mark.nova
@pytest.mark.slow
def test_where_a_method_claims_devices_all_instances_of_every_other_program_want_the_same_ones() -> None:
    target = find_target("nova")
    with target.open() as opened, controlled_session(opened.modules) as laboratory:

        def run(scenario: Scenario, scheduler: Scheduler) -> Outcome:
            points = bytearray(max(1 << 17, 4 * len(SITES)))
            outcome = execute(opened.program(scenario), scheduler, ExecutionConfig(points))
            laboratory.control.between_executions()
            return outcome

        programs = MethodPrograms(target, run, seed=0)
        operations, reaching = programs.reaching("ResourceTracker.claim_pci_devices")
        first = list(itertools.islice(reaching, 6))
    for scenario in first:
        assert set(operations) & set(names_of(scenario))
    for scenario in first[::2]:
        (flavor,) = {one.arguments["flavor"] for one in scenario.content.setup if one.name == "instance"}
        assert FLAVORS[flavor].uses_pci
