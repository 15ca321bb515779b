"""The fast paths through Nova's object library change nothing but the time, and are where they belong."""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.traces.schema import Value
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import ImpossibleStartError
from semafuzz.targets.model.scenario import Scenario, describe
from semafuzz.targets.nova import fast_objects
from semafuzz.targets.nova.fast_objects import FastObjects
from semafuzz.targets.nova.fast_objects.meaning import meaning_of
from tests.targets.nova.conftest import Opened

pytestmark = pytest.mark.nova


def made(nova: Opened, scenario: Scenario, objects: str, seed: int) -> Outcome:
    opened, laboratory = nova
    configuration: dict[str, Value] = {**scenario.configuration, "objects": objects}
    program = opened.program(Scenario(scenario.content, configuration, scenario.faults))
    scheduler = RandomWalk(seed)
    scheduler.begin(0)
    outcome = execute(program, scheduler, ExecutionConfig(bytearray(max(1 << 16, 2 * len(SITES)))))
    laboratory.control.between_executions()
    return outcome


def told(outcome: Outcome) -> Any:
    events = [(kind, task.index, str(name), site) for kind, task, _, name, site in outcome.events]
    return events, [(one.kind, one.message, one.severity, one.detail) for one in outcome.failures]


def agree(nova: Opened, scenarios: list[Scenario]) -> int:
    """How many programs could be compared."""
    compared = 0
    for seed, scenario in enumerate(scenarios):
        try:
            fast, plain = (told(made(nova, scenario, objects, seed)) for objects in ("fast", "plain"))
        except ImpossibleStartError:
            continue
        assert fast == plain, describe(scenario)
        compared += 1
    return compared


def drawn(number: int, seed: int) -> list[Scenario]:
    scope = SmallScope(find_target("nova"), lambda _: ("conductor Instance.save",), seed)
    every = [*scope.essentials(), *(one for time, one in scope.pairs() if time < 2)]
    return random.Random(seed).sample(every, number)


def test_runs_and_judgements_are_the_same_with_and_without(nova: Opened) -> None:
    assert agree(nova, drawn(24, 0)) > 15


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_many_runs_and_judgements_are_the_same_with_and_without(nova: Opened, seed: int) -> None:
    assert agree(nova, drawn(150, seed)) > 100


def functions() -> Any:
    from oslo_versionedobjects import base, fields

    own = base.VersionedObject
    return own.obj_attr_is_set, own.obj_to_primitive, own.__deepcopy__, fields.UUID.coerce, fields.DateTime.coerce


def test_the_real_world_has_the_library_as_it_was_released(nova: Opened) -> None:
    opened, _ = nova
    scenario = next(SmallScope(find_target("nova"), lambda _: (), 0).essentials())
    opened.objects.switch(False)
    released = functions()
    opened.program(scenario).stage.restore()
    fast = functions()
    assert [new is old for new, old in zip(fast, released, strict=True)] == [False, False, False, False, True]
    opened.program(Scenario(scenario.content, {"world": "real"})).stage.restore()
    assert functions() == released
    opened.program(scenario).stage.restore()
    assert functions() == fast
    opened.program(Scenario(scenario.content, {"objects": "plain"})).stage.restore()
    assert functions() == released


def test_what_was_not_read_stays(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    nova[0].objects.switch(False)
    released = functions()
    known = dict(fast_objects.KNOWN)
    monkeypatch.setattr(fast_objects, "KNOWN", known | {"obj_to_primitive": frozenset()})
    some = FastObjects()
    some.switch(True)
    assert some.unknown == ["obj_to_primitive"]
    assert functions()[1] is released[1]
    assert functions()[0] is not released[0]
    some.switch(False)
    assert functions() == released
    monkeypatch.setattr(fast_objects, "KNOWN", known | {"Field.coerce": frozenset()})
    none = FastObjects()
    none.switch(True)
    assert functions() == released, "all else builds on it"


def test_the_meaning_is_without_types_and_texts_and_comments(tmp_path: Path) -> None:
    texts = (
        "def f(value):\n    return value + 1\n",
        'def f(value: int) -> int:\n    """Text."""\n    # Why.\n    return value + 1\n',
        "def f(value):\n    return value + 2\n",
    )
    meanings = []
    for number, text in enumerate(texts):
        file = tmp_path / f"m{number}.py"
        file.write_text(text)
        meanings.append(meaning_of(run_path(str(file))["f"]))
    assert meanings[0] == meanings[1] != meanings[2]
    assert all(meanings)
    assert meaning_of(len) == ""


def test_values_that_the_library_changes_are_changed(nova: Opened) -> None:
    from nova import objects

    nova[0].objects.switch(True)
    try:
        node = objects.ComputeNode(host="h", vcpus=True, memory_mb="12")
        assert (node.vcpus, type(node.vcpus), node.memory_mb) == (1, int, 12)
        with pytest.raises(ValueError, match="invalid literal"):
            node.vcpus = "many"
        with pytest.raises(AttributeError, match="has no attribute 'no_such'"):
            node.obj_attr_is_set("no_such")
        assert not node.obj_attr_is_set("uuid")
        instance = objects.Instance(uuid="00000000-0000-0000-0000-000000000001")
        instance.created_at = datetime.datetime(2026, 1, 2, 3, 4, 5)
        data = instance.obj_to_primitive()["nova_object.data"]
        assert data == {"uuid": "00000000-0000-0000-0000-000000000001", "created_at": "2026-01-02T03:04:05Z"}
        again = objects.Instance.obj_from_primitive(instance.obj_to_primitive())
        assert again.created_at == instance.created_at
        assert again.created_at.tzinfo is not None
    finally:
        nova[0].objects.switch(False)
