"""Ports with devices: what is claimed for them and given back, and where there are none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("nova")

from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget
from semafuzz.targets.nova.operations.table import TABLE
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.network import port_of

pytestmark = pytest.mark.nova


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened:
        yield opened


def started(nova: OpenTarget, name: str, flavor: int, world: str = "fast") -> NovaStage:
    arguments: dict[str, Value] = {"instance": 1, "role": TABLE[name].before, "flavor": flavor}
    stage = nova.stage([Operation("instance", arguments)], {"world": world})  # type: ignore[attr-defined]
    assert isinstance(stage, NovaStage)
    stage.restore()
    return stage


def functions(stage: NovaStage) -> list[str]:
    """The devices that the instance has for its port."""
    world = stage._world
    port = port_of(world.uuid(1))
    return [one["address"] for one in world.conductor.tables["pci_device"].values() if one["request_id"] == port]


@pytest.mark.parametrize("world", ["fast", "real"])
def test_a_port_has_a_function_while_it_is_plugged_in(nova: OpenTarget, world: str) -> None:
    stage = started(nova, "attach_port", 11, world)
    attach, detach = Operation("attach_port", {"instance": 1}), Operation("detach_port", {"instance": 1})
    stage.perform(attach)
    assert functions(stage) == ["0000:82:10.2"]
    assert stage.judge([[attach]], []) == []
    stage.perform(detach)
    assert functions(stage) == []
    assert stage.judge([[attach, detach]], []) == []


def test_no_function_is_left(nova: OpenTarget) -> None:
    # The physical function is the instance's, and its virtual ones with it.
    stage = started(nova, "attach_port", 14)
    with pytest.raises(stage.refusals):
        stage.perform(Operation("attach_port", {"instance": 1}))
    assert stage.judge([[Operation("attach_port", {"instance": 1})]], []) == []


def test_a_host_without_devices(nova: OpenTarget) -> None:
    stage = started(nova, "attach_port", 1)
    with pytest.raises(IndexError):
        stage.perform(Operation("attach_port", {"instance": 1}))
    with pytest.raises(ImpossibleStartError, match="no devices"):
        started(nova, "detach_port", 1)


def test_the_role_is_there_where_the_operation_is() -> None:
    target = find_target("nova")
    assert "plugged" in target.roles()
    assert {info.before for info in target.operations()} - {""} == set(target.roles())
