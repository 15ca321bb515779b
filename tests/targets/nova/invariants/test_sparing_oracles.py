"""A search leaves out the comparison of audits where nothing depends on it, and nothing that repeats a run does."""

from __future__ import annotations

import pytest

from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.nova import stage

pytestmark = pytest.mark.nova
SETUP = (Operation("instance", {"instance": 1, "role": "active", "flavor": 1}),)
STEADY = Scenario(Operations(SETUP, ((Operation("audit"),),)))
HEALED = Scenario(
    Operations(SETUP, ((Operation("shelve", {"instance": 1}),),)),
    {},
    (Operation("conductor_timeout", {"task": 0, "call": 3}),),
)


@pytest.mark.parametrize(
    ("sparing", "scenario", "world", "compared"),
    [
        (True, STEADY, "fast", False),
        (False, STEADY, "fast", True),
        (True, HEALED, "fast", True),
        (True, STEADY, "real", True),
    ],
)
def test_audits_are_compared_unless_nothing_depends_on_it(
    sparing: bool, scenario: Scenario, world: str, compared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def agree(self: stage.NovaStage, tracker: object, place: object) -> list[object]:
        asked.append(place)
        return []

    monkeypatch.setattr(stage.NovaStage, "_audits_agree", agree)
    monkeypatch.setattr(stage, "ONE_IN", 1 << 70)
    with find_target("nova").open() as opened, controlled_session(opened.modules):
        opened.sparing = sparing
        program = opened.program(Scenario(scenario.content, {"world": world}, scenario.faults))
        execute(program, SerialOrder((0,)), ExecutionConfig(bytearray(max(1 << 16, 2 * len(SITES)))))
    assert bool(asked) is compared
