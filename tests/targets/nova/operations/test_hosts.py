"""What happens to a whole host: its totals, its service, its nodes, its devices, its pools of threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("nova")

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.invariants.hosts import TRAIT
from semafuzz.targets.nova.operations.restarts import has_half_moved
from semafuzz.targets.nova.stage import NovaStage
from semafuzz.targets.nova.world.hypervisor import HALF, WHOLE, set_totals
from semafuzz.targets.nova.world.names import EXTRA, HERE, OTHER
from semafuzz.targets.nova.world.world import World
from tests.targets.nova.programs import program, world_of

pytestmark = pytest.mark.nova
WORLDS = pytest.mark.parametrize("kind", ["fast", "real"])


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened, controlled_session(opened.modules, instrument=False):
        yield opened


def run(made: StagedProgram, scheduler: Any = None) -> Outcome:
    outcome = execute(
        made,
        scheduler or SerialOrder((0,)),
        ExecutionConfig(bytearray(b"\1" * (1 << 17)), "threads", early_timeouts=False),
    )
    assert not outcome.uncontrolled
    return outcome


def shown(outcome: Outcome) -> set[str]:
    return {name for one in outcome.failures for name in one.error_type.split(", ")}


def over_schedules(made: StagedProgram, many: int = 40) -> Iterator[Outcome]:
    scheduler = make_scheduler("portfolio", 1)
    for number in range(many):
        assert scheduler.begin(number)
        outcome = run(made, scheduler)
        scheduler.end(outcome)
        yield outcome


@WORLDS
def test_a_host_that_shrinks_says_so_everywhere(nova: OpenTarget, kind: str) -> None:
    made = program(nova, "host_shrinks", kind=kind)
    assert shown(run(made)) == set()
    node = world_of(made).node_row(HERE.node)
    assert (node["memory_mb"], node["vcpus"], node["local_gb"]) == (4096, 5, 514)
    grown = program(nova, "host_shrinks,host_grows", kind=kind)
    assert shown(run(grown)) == set()
    assert world_of(grown).node_row(HERE.node)["memory_mb"] == 8192


def test_totals_that_nobody_took_over_are_told(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nova's own ``_copy_resources`` is what takes them over."""
    from nova.compute.resource_tracker import ResourceTracker

    real = ResourceTracker._copy_resources

    def forgetful(self: Any, node: Any, resources: Any, *more: Any, **options: Any) -> None:
        before = node.memory_mb if node.obj_attr_is_set("memory_mb") else resources["memory_mb"]
        real(self, node, {**resources, "memory_mb": before}, *more, **options)

    made = program(nova, "host_shrinks", flavor=2)
    run(made)
    world_of(made)
    assert isinstance(made.stage, NovaStage)
    made.stage.forget_judgements()
    monkeypatch.setattr(ResourceTracker, "_copy_resources", forgetful)
    assert "I18 memory_mb" in shown(run(made))


def test_totals_go_back_with_all_else(nova: OpenTarget) -> None:
    made = program(nova, "audit")
    run(made)
    driver = world_of(made).hosts[HERE.host].driver
    set_totals(driver, HALF)
    made.stage.restore()
    assert (driver.memory_mb, driver.resources.memory_mb) == (8192, 8192)
    set_totals(driver, WHOLE)


@WORLDS
def test_a_service_that_is_disabled_has_the_trait(nova: OpenTarget, kind: str) -> None:
    for tasks, disabled in (("disable_service", True), ("disable_service,enable_service", False)):
        made = program(nova, tasks, kind=kind)
        assert shown(run(made)) == set()
        world = world_of(made)
        assert (TRAIT in world.placement.traits_of(world.node_row(HERE.node)["uuid"])) == disabled
    assert shown(run(program(nova, "disable_service,audit,restart", kind=kind))) == set()


def test_a_provider_that_does_not_say_so_is_told(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    from nova.compute.resource_tracker import ResourceTracker

    monkeypatch.setattr(ResourceTracker, "_sync_compute_service_disabled_trait", lambda *_: None)
    made = program(nova, "disable_service,audit", flavor=5)
    monkeypatch.setattr("nova.compute.manager.ComputeManager._update_compute_provider_status", lambda *_: None)
    assert "I19 disabled" in shown(run(made))


@WORLDS
def test_the_other_host_that_was_evacuated_comes_back(nova: OpenTarget, kind: str) -> None:
    made = program(nova, "evacuate_here", kind=kind)
    run(made)
    world = world_of(made)
    assert world.down == {OTHER.host}
    made = program(nova, "evacuate_here,restart_other", kind=kind)
    assert shown(run(made)) - {"I1 memory_mb_used"} == set()
    world = world_of(made)
    assert world.down == set()
    assert len(world.placement.allocations[world.uuid(1)][1]) == 1


def test_an_evacuated_host_that_does_not_clean_up_is_judged_as_it_comes_back(
    nova: OpenTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nova.compute.manager import ComputeManager

    monkeypatch.setattr(ComputeManager, "_destroy_evacuated_instances", lambda *_, **__: {})
    assert "I13 instance" in shown(run(program(nova, "evacuate_here", flavor=5)))


def test_an_evacuated_host_with_a_move_half_way_stays_down(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start would put that right; what it has in placement is no error then."""
    monkeypatch.setattr("semafuzz.targets.nova.stage.has_half_moved", lambda *_: True)
    monkeypatch.setattr("semafuzz.targets.nova.stage.start_anew", lambda *_, **__: pytest.fail("it stays down"))
    made = program(nova, "evacuate_here", flavor=6)
    assert shown(run(made)) == set()
    world = world_of(made)
    assert len(world.placement.allocations[world.uuid(1)][1]) == 2
    for status, half in (("migrating", True), ("done", False)):
        world.conductor.rows("migration")[-1]["status"] = status
        world.conductor.tables["instance"][world.uuid(1)]["host"] = OTHER.host
        assert has_half_moved(world, OTHER.host) is half


def test_a_host_that_cannot_come_back_is_said(nova: OpenTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    from nova.compute.manager import ComputeManager

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(ComputeManager, "init_host", refuse)
    assert "I14 start raises" in shown(run(program(nova, "evacuate_here", flavor=2)))


def test_a_kill_of_the_other_host_interrupts_what_is_on_it(nova: OpenTarget) -> None:
    made = program(nova, "resize_away", "restart_other")
    stuck, interrupted = 0, 0
    for outcome in over_schedules(made):
        stuck += any(one.startswith("I20") for one in shown(outcome))
        interrupted += world_of(made).interrupted
        assert not [one for one in outcome.failures if one.severity == "error"]
    assert 0 < stuck <= interrupted < 40


@WORLDS
def test_an_instance_on_a_second_node(nova: OpenTarget, kind: str) -> None:
    made = program(nova, "node_appears,boot_extra", kind=kind)
    assert shown(run(made)) == set()
    world = world_of(made)
    assert world.conductor.tables["instance"][world.uuid(1)]["node"] == EXTRA.node
    assert world.node_row(EXTRA.node)["memory_mb_used"] == 64
    assert shown(run(program(nova, "terminate_extra", kind=kind))) == set()
    assert shown(run(program(nova, "boot_extra", kind=kind))) == set(), "nobody reports the node: refused"
    # The instances of a node that is gone arrive as lists of one uuid each, so that their allocations stay.
    gone = program(nova, "node_appears,boot_extra,node_vanishes", kind=kind)
    assert shown(run(gone)) == {"I13 provider"}
    assert shown(run(program(nova, "node_appears,node_vanishes", kind=kind))) == set()


@WORLDS
def test_several_devices_vanish_and_one_changes_its_type(nova: OpenTarget, kind: str) -> None:
    for name, left in (("devices_vanish", 2), ("device_changes_type", 3)):
        made = program(nova, name, flavor=11, kind=kind)
        assert shown(run(made)) == set()
        tracker = world_of(made).hosts[HERE.host].tracker
        assert len(tracker.pci_tracker.pci_devs) == left
    types = {one.address: one.dev_type for one in tracker.pci_tracker.pci_devs}
    assert types["0000:82:00.0"] == "type-PCI"


def test_the_manager_audits_several_nodes_in_a_pool(nova: OpenTarget) -> None:
    made = program(nova, "node_appears,audit_all")
    outcome = run(made)
    assert shown(outcome) == set()
    started = [event[2] for event in outcome.events if event[0] == op.SPAWN]
    from nova.compute import manager

    assert len(started) == (2 if hasattr(manager, "thread_pool_factory") else 0)


def test_a_service_that_is_told_to_end_waits_for_what_is_under_way(nova: OpenTarget) -> None:
    """A build is not interrupted, as it is by a kill; whatever comes meanwhile is done by the next process."""
    from nova import service

    ends: dict[str, Counter[str]] = {}
    for name in ("restart", "restart_gracefully"):
        made = program(nova, "boot", name, flavor=3)
        found = ends[name] = Counter()
        for outcome in over_schedules(made, 60):
            assert not [one for one in outcome.failures if one.severity == "error"], outcome.failures
            found[str(world_of(made).conductor.tables["instance"][World.uuid(1)]["vm_state"])] += 1
    assert ends["restart"]["error"] > 5
    if hasattr(service, "_TrackingEndpointWrapper"):
        assert set(ends["restart_gracefully"]) == {"active"}


@WORLDS
def test_a_service_that_fails_to_end_is_started_all_the_same(nova: OpenTarget, kind: str) -> None:
    fault = Operation("hypervisor_error", {"task": 0, "call": 1})
    made = program(nova, "restart_gracefully", "audit", kind=kind, faults=(fault,))
    assert shown(run(made)) == set()
    assert not world_of(made).hosts[HERE.host].process.ended


def test_others_run_after_a_method_of_the_tracker_and_not_in_its_midst(nova: OpenTarget) -> None:
    """Who calls it is not instrumented; one that another method calls returns to code that is."""
    made, after = program(nova, "audit", "boot"), 0
    for outcome in over_schedules(made):
        depth: Counter[int] = Counter()
        for kind, task, _, name, _ in outcome.events:
            depth[task.index] += (kind == op.CALL) - (kind == op.RETURN)
            if kind == op.IO and str(name).startswith("after "):
                after += 1
                assert depth[task.index] == 0, name
    assert after > 40


def test_what_called_a_live_migration_off_is_not_kept_for_the_next(nova: OpenTarget) -> None:
    made = program(nova, "live_migrate_away,live_migrate_here", "abort_migration_away")
    for _ in over_schedules(made):
        assert not any(host.driver.called_off or host.driver.moving for host in world_of(made).hosts.values())
