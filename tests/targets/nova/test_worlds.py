"""The fast world against the real one: the same programs, the same calls, the same rows.

Where the two disagree the fast one is wrong: the real one is Nova's own database layer
and the placement service.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nova")
pytest.importorskip("placement")

from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.fuzz.small_scope import SmallScope
from semafuzz.strategies.generate.hypothesis_runs import generate
from semafuzz.strategies.generate.scenarios import scenarios
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import ImpossibleStartError
from semafuzz.targets.model.scenario import Scenario, describe
from semafuzz.targets.nova.agreement import Opened, disagreements, run
from semafuzz.targets.nova.real.services import nova_database, placement_service
from semafuzz.targets.nova.releases import environments

pytestmark = pytest.mark.nova
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        # What is done once in a process is no difference between worlds.
        setup = (Operation("instance", {"instance": 1, "role": "new", "flavor": 1}),)
        first = Scenario(Operations(setup, ((Operation("claim", {"instance": 1}),),)))
        for world in ("fast", "real"):
            run((opened, laboratory), first, world, 0)
        yield opened, laboratory


def compare(nova: Opened, scenario: Scenario, schedule: int) -> None:
    assert disagreements(nova, scenario, schedule) == [], f"{describe(scenario)}, schedule {schedule}"


def compare_many(nova: Opened, seed: int, most: int) -> None:
    done: list[Scenario] = []

    def consume(scenario: Scenario) -> bool:
        for schedule in (0, seed + 1):
            try:
                compare(nova, scenario, schedule)
            except ImpossibleStartError:
                continue
            done.append(scenario)
        return True

    generate(scenarios(find_target("nova")), consume, seed=seed, most=most)
    assert len(done) > most
    assert any(scenario.faults for scenario in done)


@pytest.mark.slow
def test_random_programs_do_the_same_in_both_worlds(nova: Opened) -> None:
    compare_many(nova, 0, 12)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_many_random_programs_do_the_same_in_both_worlds(nova: Opened, seed: int) -> None:
    compare_many(nova, seed, 100)


@pytest.mark.parametrize("name", ["claim", "terminate", "resize_here", "device_vanishes"])
def test_they_agree_where_placement_is_told_of_devices(nova: Opened, name: str) -> None:
    for scenario in in_placement():
        if scenario.content.tasks[0][0].name == name:
            # The one with most parts has a physical function, which is not given out then.
            with contextlib.suppress(ImpossibleStartError):
                compare(nova, scenario, 0)
                return
    pytest.fail("none can start")


@pytest.mark.slow
def test_every_operation_agrees_where_placement_is_told_of_devices(nova: Opened) -> None:
    done: set[str] = set()
    for scenario in in_placement():
        name = scenario.content.tasks[0][0].name
        with contextlib.suppress(ImpossibleStartError):
            compare(nova, scenario, 0)
            done.add(name)
    assert len(done) > 50


def in_placement() -> Iterator[Scenario]:
    for one in SmallScope(find_target("nova"), lambda _: (), 0).essentials():
        yield Scenario(one.content, {"report_in_placement": True})


AGREE = """
    import sys, warnings

    warnings.simplefilter("ignore")
    from semafuzz.harness.runs.session import controlled_session
    from semafuzz.strategies.generate.hypothesis_runs import generate
    from semafuzz.strategies.generate.scenarios import scenarios
    from semafuzz.strategies.fuzz.small_scope import SmallScope
    from semafuzz.targets import find_target
    from semafuzz.targets.nova.agreement import disagreements
    from semafuzz.targets.model.protocol import ImpossibleStartError
    from semafuzz.targets.model.scenario import describe

    nova, release, most = find_target("nova"), sys.argv[1], int(sys.argv[2])
    compared = 0
    with nova.open(release) as opened, controlled_session(opened.modules) as laboratory:
        def consume(scenario, schedules=(0, 1)):
            global compared
            for schedule in schedules:
                try:
                    said = disagreements((opened, laboratory), scenario, schedule)
                except ImpossibleStartError:
                    continue
                compared += 1
                if said:
                    sys.exit(f"{describe(scenario)}, schedule {schedule}: {said}")
            return True

        met = set()
        for scenario in SmallScope(nova, lambda _: (), 0).essentials():
            tasks = scenario.content.tasks
            if tasks[0][0].name not in met:
                met.add(tasks[0][0].name)
                consume(scenario, (0,))
        generate(scenarios(nova), consume, seed=1, most=most)
    print(len(met), compared)
"""


@pytest.mark.slow
@pytest.mark.parametrize("release", ["16.1.8", "17.0.13", "19.3.2", "21.1.0", "24.0.0", "26.3.0", "28.3.1"])
def test_the_worlds_agree_in_older_releases(release: str) -> None:
    try:
        python = environments.of_release(release).python
    except UsageError as error:
        pytest.skip(f"Nova {release} cannot be had here: {error}")
    done = subprocess.run(
        [python, "-c", textwrap.dedent(AGREE), release, "25"],
        capture_output=True, text=True, check=False, timeout=900, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    alone, compared = map(int, done.stdout.splitlines()[-1].split())
    assert alone > 30, "every operation alone as well"
    assert compared > 25 + alone // 2


def test_the_comparison_notices_a_difference(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    from semafuzz.targets.nova.in_memory.conductor import Conductor

    setup = (Operation("instance", {"instance": 1, "role": "new", "flavor": 1}),)
    scenario = Scenario(Operations(setup, ((Operation("claim", {"instance": 1}),),)))
    compare(nova, scenario, 0)
    real = Conductor.do_Instance_save

    def forgetful(self: Conductor, context: Any, instance: Any, *args: Any, **kwargs: Any) -> Any:
        answer = real(self, context, instance, *args, **kwargs)
        self.tables["instance"][instance.uuid]["task_state"] = None
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(Conductor, "do_Instance_save", forgetful)
        opened = find_target("nova")
        with opened.open() as again, pytest.raises(AssertionError):
            compare((again, nova[1]), scenario, 0)


def test_start_states_come_back(nova: Opened) -> None:
    """An execution leaves nothing to the next one, in the real world too."""
    setup = (Operation("instance", {"instance": 1, "role": "incoming", "flavor": 11}),)
    scenario = Scenario(Operations(setup, ((Operation("resize_claim", {"instance": 1}),), (Operation("audit"),))))
    first = run(nova, scenario, "real", 3)
    assert run(nova, scenario, "real", 4)[2]
    assert run(nova, scenario, "real", 3) == first


def test_no_index_decides_on_the_order_of_lists(nova: Opened) -> None:
    """Which of several SQLite would take differs from process to process."""
    plain = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND sql NOT LIKE 'CREATE UNIQUE%'"
    for database in (nova_database(), placement_service()[1]):
        assert database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert database.rows(plain) == []
