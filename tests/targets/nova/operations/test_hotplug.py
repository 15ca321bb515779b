"""Devices that vanish and return: what a service knows of them once it has started."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("nova")

from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.nova.invariants.checks import DEVICE_POOLS, Violation
from semafuzz.targets.nova.invariants.pci import reported_violations
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.pci_devices import WITHOUT_ONE
from semafuzz.targets.nova.world.world import World

pytestmark = pytest.mark.nova
VANISHES, RETURNS = Operation("device_vanishes"), Operation("device_returns")
DELETE = Operation("delete", {"instance": 1})
LAST = "0000:82:10.2"
WORLDS = pytest.mark.parametrize("world", ["fast", "real"])


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened, controlled_session(opened.modules, instrument=False):
        yield opened


def instance(flavor: int) -> Operation:
    arguments: dict[str, Value] = {"instance": 1, "role": "active", "flavor": flavor}
    return Operation("instance", arguments)


def started(nova: OpenTarget, flavor: int, world: str = "fast") -> NovaStage:
    stage = nova.stage([instance(flavor)], {"world": world})  # type: ignore[attr-defined]
    assert isinstance(stage, NovaStage)
    stage.restore()
    return stage


def shown(nova: OpenTarget, flavor: int, world: str, *operations: Operation) -> set[str]:
    program = nova.program(Scenario(Operations((instance(flavor),), (operations,)), {"world": world}))
    outcome = execute(program, SerialOrder((0,)), ExecutionConfig(bytearray(1 << 17), "eventlet"))
    return {name for one in outcome.failures for name in one.error_type.split(", ")}


def known(world: World) -> dict[str, str]:
    devices = world.hosts[HERE.host].tracker.pci_tracker.pci_devs
    return {device.address: device.status for device in devices}


@WORLDS
def test_a_free_function_that_vanishes_is_forgotten_and_learned_again(nova: OpenTarget, world: str) -> None:
    stage = started(nova, 11, world)
    assert known(stage._world)[LAST] == "available"
    stage.perform(VANISHES)
    assert LAST not in known(stage._world)
    stage.perform(RETURNS)
    assert known(stage._world)[LAST] == "available"
    assert shown(nova, 11, world, VANISHES) == set()
    assert shown(nova, 11, world, VANISHES, RETURNS) == set()


@WORLDS
def test_one_that_is_in_use_stays_until_it_is_freed(nova: OpenTarget, world: str) -> None:
    stage = started(nova, 12, world)
    stage.perform(VANISHES)
    assert known(stage._world)[LAST] == "allocated"
    stage.perform(RETURNS)
    stage.perform(DELETE)
    assert known(stage._world)[LAST] == "available"
    assert shown(nova, 12, world, VANISHES) == set()
    assert shown(nova, 12, world, VANISHES, RETURNS, DELETE) == set()


@WORLDS
def test_a_function_that_returns_is_free_while_its_physical_one_is_not(nova: OpenTarget, world: str) -> None:
    assert shown(nova, 14, world, VANISHES) == set()
    assert shown(nova, 14, world, VANISHES, RETURNS) == {"I8 parent"}
    assert "I8 pools" in shown(nova, 14, world, VANISHES, RETURNS, DELETE)


@WORLDS
def test_the_physical_function_of_one_that_vanished_is_in_no_pool(nova: OpenTarget, world: str) -> None:
    assert "I8 pools" in shown(nova, 12, world, VANISHES, DELETE)
    assert shown(nova, 12, world, VANISHES, DELETE, Operation("restart")) == set()
    assert shown(nova, 11, world, VANISHES, DELETE) == set()


def test_a_tracker_that_knows_more_or_less_than_the_hypervisor_is_told(nova: OpenTarget) -> None:
    stage = started(nova, 11)
    world = stage._world
    driver = world.hosts[HERE.host].driver
    everything = driver.devices
    assert list(reported_violations(world, world.hosts[HERE.host].tracker)) == []
    driver.devices = WITHOUT_ONE
    assert [one.name for one in reported_violations(world, world.hosts[HERE.host].tracker)] == ["I8 reported"]
    stage.perform(VANISHES)
    assert list(reported_violations(world, world.hosts[HERE.host].tracker)) == []
    driver.devices = everything
    assert [one.name for one in reported_violations(world, world.hosts[HERE.host].tracker)] == ["I8 reported"]


def test_a_tracker_that_starts_anew_is_judged_by_that(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "semafuzz.targets.nova.stage.reported_violations", lambda *_: iter([Violation(DEVICE_POOLS, "reported", "")])
    )
    assert shown(nova, 11, "fast", Operation("reload")) == {"I8 reported"}


def test_what_the_hypervisor_reports_is_put_back_with_all_else(nova: OpenTarget) -> None:
    stage = started(nova, 11)
    driver = stage._world.hosts[HERE.host].driver
    everything = driver.devices
    stage.perform(VANISHES)
    assert driver.devices != everything
    stage.restore()
    assert driver.devices == everything


def test_a_host_without_devices_has_none_to_lose(nova: OpenTarget) -> None:
    stage = started(nova, 1)
    for operation in (VANISHES, RETURNS):
        with pytest.raises(stage.refusals):
            stage.perform(operation)
    # It was not started anew then, so that what it has counted stays.
    assert shown(nova, 1, "fast", Operation("build_failed"), VANISHES) == set()
