"""Configuration of the Nova target: legal values are in force, illegal ones are refused or reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations, Value
from semafuzz.strategies.generate.configuration import configurations, illegal_configurations
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.configuration import GROUPS, OPTIONS, illegal_values, put_in_force
from semafuzz.targets.nova.invariants.usage import configuration_violations, run_audit
from semafuzz.targets.nova.operations.table import HOST, NODE
from semafuzz.targets.nova.releases.boot import RESERVED
from semafuzz.targets.nova.releases.environments import has_option
from semafuzz.targets.nova.stage import NovaStage

pytestmark = pytest.mark.nova
Opened = tuple[OpenTarget, ControlledSession]
LIFE = Operations(
    (Operation("instance", {"instance": 1, "role": "new", "flavor": 6}),),
    ((Operation("claim", {"instance": 1}), Operation("delete", {"instance": 1})), (Operation("audit"),)),
)
LEGAL = [(option.name, value) for option in OPTIONS for value in option.legal[1:]]


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        yield opened, laboratory


def failures(nova: Opened, configuration: dict[str, Value]) -> list[Failure]:
    program = nova[0].program(Scenario(LIFE, configuration))
    return program.execute(SerialOrder((0, 1)), ExecutionConfig(bytearray(1 << 17))).failures


@pytest.mark.parametrize(("name", "value"), LEGAL)
def test_every_legal_value_is_in_force_and_breaks_nothing(nova: Opened, name: str, value: Value) -> None:
    assert failures(nova, {name: value}) == []
    assert in_force(name) == value
    assert failures(nova, {}) == []
    assert in_force(name) == next(option.legal[0] for option in OPTIONS if option.name == name)


def in_force(name: str) -> object:
    from nova.conf import CONF

    return getattr(CONF[GROUPS[name]] if name in GROUPS else CONF, name)


def test_reservations_are_in_the_sums(nova: Opened) -> None:
    configuration: dict[str, Value] = {"reserved_host_memory_mb": 512, "reserved_host_disk_mb": 1500}
    assert failures(nova, {**configuration, "reserved_host_cpus": 1}) == []
    program = nova[0].program(Scenario(LIFE, {**configuration, "reserved_host_cpus": 1}))
    assert isinstance(program, StagedProgram)
    assert isinstance(program.stage, NovaStage)
    program.stage.restore()
    world = program.stage._world
    node = world.hosts[HOST].tracker.compute_nodes[NODE]
    assert (node.memory_mb_used, node.vcpus_used, node.local_gb_used) == (512, 1, 1)


REPORTED = {
    ("reserved_host_memory_mb", 9000): "ResourceProviderSyncFailed",
    ("reserved_host_disk_mb", 2_000_000): "ResourceProviderSyncFailed",
    ("reserved_host_cpus", 11): "ResourceProviderSyncFailed",
    ("cpu_allocation_ratio", 0.0): "the node has 4.0",
    ("ram_allocation_ratio", 0.0): "the node has 1.0",
    ("disk_allocation_ratio", 0.0): "the node has 1.0",
    ("initial_cpu_allocation_ratio", 0.0): "no room",
    ("initial_ram_allocation_ratio", 0.0): "no room",
    ("initial_disk_allocation_ratio", 0.0): "no room",
}
"""What 34.0.0 takes and does not work with, and words of the report. Reserving more than
there is makes placement refuse the inventory (400), so that every audit fails with an
exception that names no option; 0.0 as a ratio is silently taken for "not set"
(``_copy_resources``); as an initial ratio it makes a node on which nothing fits."""


@pytest.mark.parametrize(("name", "value"), [(option.name, value) for option in OPTIONS for value in option.illegal])
def test_illegal_values_are_refused_or_reported(nova: Opened, name: str, value: Value) -> None:
    found = failures(nova, {name: value})
    wanted = next((words for key, words in REPORTED.items() if key == (name, value)), None)
    if wanted is None:
        assert found == []
        return
    (failure,) = found
    assert (failure.kind, failure.error_type) == ("configuration", name)
    assert f"{name}={value!r} is accepted" in failure.message
    assert wanted in failure.message


def test_a_clear_refusal_is_no_finding(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the oracle asks for: an error that names the option."""
    from nova.compute.resource_tracker import ResourceTracker

    def refuse(self: object, *rest: object, **options: object) -> None:
        from nova.conf import CONF

        if CONF.reserved_host_memory_mb > 8192:
            raise ValueError("reserved_host_memory_mb is more than the host has")
        audit(self, *rest, **options)

    audit = ResourceTracker.update_available_resource
    monkeypatch.setattr(ResourceTracker, "update_available_resource", refuse)
    assert failures(nova, {"reserved_host_memory_mb": 9000}) == []


def test_a_service_that_stays_broken_is_reported(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    from semafuzz.targets.nova import refused_stage

    monkeypatch.setattr(refused_stage, "run_audit", lambda world, tracker: "KeyError: 'node1'")
    (failure,) = failures(nova, {"reserved_host_cpus": -1})
    assert "after reserved_host_cpus=-1 was taken back, an audit raises KeyError" in failure.message


def test_a_ratio_that_is_not_in_force_is_noticed(nova: Opened) -> None:
    program = nova[0].program(Scenario(LIFE))
    assert isinstance(program, StagedProgram)
    assert isinstance(program.stage, NovaStage)
    program.stage.restore()
    world = program.stage._world
    tracker = world.hosts[HOST].tracker
    assert list(configuration_violations(world, tracker)) == []
    tracker.compute_nodes[NODE].cpu_allocation_ratio = 9.0
    put_in_force({"reserved_host_cpus": 1})
    found = {violation.name for violation in configuration_violations(world, tracker)}
    assert found == {"I17 cpu_allocation_ratio", "I17 reserved"}
    world.activate()
    assert run_audit(world, tracker) == ""


def test_what_is_refused_leaves_nothing_in_force(nova: Opened) -> None:
    from nova.conf import CONF

    with pytest.raises(ValueError, match="many"):
        put_in_force({"reserved_host_memory_mb": 512, "ram_allocation_ratio": "many"})
    assert CONF.reserved_host_memory_mb == RESERVED["reserved_host_memory_mb"]
    assert CONF.ram_allocation_ratio is None


def test_only_known_options_and_values(nova: Opened) -> None:
    with pytest.raises(UsageError, match="no option"):
        nova[0].program(Scenario(LIFE, {"debug": True}))
    with pytest.raises(UsageError, match="takes one of"):
        nova[0].program(Scenario(LIFE, {"reserved_host_cpus": 7}))
    assert illegal_values({"reserved_host_cpus": 1, "cpu_allocation_ratio": 0.0}) == {"cpu_allocation_ratio": 0.0}


@settings(max_examples=60)
@given(illegal_configurations(OPTIONS))
def test_illegal_configurations_have_one_illegal_value(configuration: dict[str, Value]) -> None:
    assert len(configuration) == 1
    assert illegal_values(configuration) == configuration


@settings(max_examples=60)
@given(configurations(OPTIONS))
def test_configurations_are_legal(configuration: dict[str, Value]) -> None:
    assert illegal_values(configuration) == {}


@pytest.mark.slow
def test_many_configurations_in_turn(nova: Opened) -> None:
    """More than are kept."""
    for name, value in (*LEGAL, *LEGAL[:2]):
        nova[0].stage(LIFE.setup, {name: value}).restore()
    assert failures(nova, {}) == []


def test_options_that_a_release_does_not_have_are_not_varied(tmp_path: Path) -> None:
    (tmp_path / "nova" / "conf").mkdir(parents=True)
    (tmp_path / "nova" / "conf" / "compute.py").write_text("cfg.FloatOpt('cpu_allocation_ratio', default=16.0)\n")
    assert has_option(tmp_path, "compute", "cpu_allocation_ratio")
    assert not has_option(tmp_path, "compute", "initial_cpu_allocation_ratio")
    assert has_option(tmp_path, "pci", "report_in_placement"), "nobody can tell without the file"
    assert has_option(None, "compute", "cpu_allocation_ratio")
    assert all(option.varied for option in find_target("nova").options() if option in OPTIONS)
