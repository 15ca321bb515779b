"""The reviews' claim, "all mutating paths hold the compute lock", settled on the real tracker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.detectors.discipline.table import (
    GUARDED,
    NEVER,
    READS,
    UNGUARDED,
)
from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.sections.section import Section
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.generate.hypothesis_runs import generate
from semafuzz.strategies.generate.scenarios import scenarios
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.nova.invariants.lock_policy import EXEMPT
from semafuzz.targets.nova.operations.table import HOST, NODE, TABLE

pytestmark = pytest.mark.nova
Opened = tuple[OpenTarget, ControlledSession]
ONE = Operation("instance", {"instance": 1, "role": "active", "flavor": 1})


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        yield opened, laboratory


def observed(opened: OpenTarget, *names: str) -> tuple[Outcome, LockDiscipline]:
    """Operations one after the other, each in a task of its own, instance 1 running."""
    assert opened.policy is not None
    discipline = LockDiscipline(opened.policy)
    tasks = tuple((Operation(name, dict.fromkeys(TABLE[name].arguments, 1)),) for name in names)
    program = opened.program(Scenario(Operations((ONE,), tasks)))
    setting = ExecutionConfig(bytearray(1 << 17), detectors=(discipline,))
    outcome = execute(program, SerialOrder(tuple(range(len(tasks)))), setting)
    discipline.keep(outcome)
    return outcome, discipline


def broken(outcome: Outcome) -> set[tuple[str, str]]:
    """Method and state, and the place that writes there without the lock."""
    found = [failure for failure in outcome.failures if failure.kind == "lock-discipline"]
    return {(failure.error_type, SITES[failure.sites[0]].place()) for failure in found}


def status(table: Section) -> dict[str, list[str]]:
    """The methods of each status."""
    return {
        kind: [row.data["method"] for row in table.rows if row.data["status"] == kind]
        for kind in (UNGUARDED, GUARDED, READS)
    }


def perform(monkeypatch: pytest.MonkeyPatch, action: Callable[[Any], object]) -> None:
    """Let the audit operation do something else: ``action`` gets the world."""
    spec = replace(TABLE["audit"], run=lambda world, arguments: action(world))
    monkeypatch.setitem(TABLE, "audit", spec)


def test_the_three_unlocked_writers_and_what_they_write(nova: Opened) -> None:
    outcome, _ = observed(nova[0], "audit", "build_failed", "build_succeeded", "remove_node", "build_failed")
    tracker = "nova.compute.resource_tracker"
    assert broken(outcome) == {
        ("ResourceTracker.build_failed: stats", "nova.compute.stats:150 (Stats.build_failed)"),
        # The node's statistics are gone by then: looking them up makes new ones.
        ("ResourceTracker.build_failed: stats", f"{tracker}:2085 (ResourceTracker.build_failed)"),
        ("ResourceTracker.build_succeeded: stats", "nova.compute.stats:155 (Stats.build_succeeded)"),
        ("ResourceTracker.remove_node: stats", f"{tracker}:888 (ResourceTracker.remove_node)"),
        ("ResourceTracker.remove_node: compute_nodes", f"{tracker}:889 (ResourceTracker.remove_node)"),
        ("ResourceTracker.remove_node: old_resources", f"{tracker}:890 (ResourceTracker.remove_node)"),
    }


def test_the_other_side_is_the_audit_under_the_lock(nova: Opened) -> None:
    outcome, _ = observed(nova[0], "audit", "build_failed")
    (found,) = [failure for failure in outcome.failures if failure.kind == "lock-discipline"]
    assert "ResourceTracker.stats['node1']['failed_builds'] without compute_resources" in found.message
    assert "ResourceTracker.update_available_resource writes it under compute_resources" in found.message
    assert found.severity == "warning"


@pytest.mark.parametrize("name", ["audit", "update_usage", "delete"])
def test_locked_methods_are_guarded(nova: Opened, name: str) -> None:
    outcome, discipline = observed(nova[0], name)
    assert broken(outcome) == set()
    assert status(discipline.report())[GUARDED]


@pytest.mark.slow
def test_a_seeded_fuzz_names_exactly_the_unlocked_three(nova: Opened) -> None:
    opened, laboratory = nova
    assert opened.policy is not None
    discipline = LockDiscipline(opened.policy)
    hot = bytearray(1 << 17)
    advised: set[tuple[str, ...]] = set()

    def consume(scenario: Scenario) -> bool:
        search = Exploration(
            opened.program(scenario),
            make_scheduler("random", 7),
            laboratory,
            schedules=4,
            stop_on_first=False,
            hot=hot,
            shrink_budget=0,
            detectors=[discipline],
            advised=advised,
        )
        search.run()
        return discipline.tally.executions < 160

    generate(scenarios(find_target("nova")), consume, seed=11, most=1000)
    found = status(discipline.report())
    assert found[UNGUARDED] == ["build_failed", "build_succeeded", "remove_node"]
    assert {"instance_claim", "update_available_resource", "update_usage", "resize_claim"} <= set(found[GUARDED])
    assert "disabled" in found[READS]
    assert {identity[1].partition(":")[0] for identity in advised} == {
        f"ResourceTracker.{name}" for name in found[UNGUARDED]
    }


def test_a_locked_method_without_its_lock_is_noticed(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the detector would say if somebody removed the decorator."""
    from nova.compute.resource_tracker import ResourceTracker

    monkeypatch.setattr(ResourceTracker, "update_usage", ResourceTracker.update_usage.__wrapped__.__wrapped__)
    found = broken(observed(nova[0], "update_usage")[0])
    assert {key.partition(": ")[2] for key, _ in found} >= {"stats", "compute_nodes", "provider_tree"}


def test_the_lock_of_another_host_is_not_this_ones(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    def misplaced(world: Any) -> None:
        context = world.context()
        tracker = world.hosts[HOST].tracker
        world.on("host2", tracker.update_usage, context, world.instance(1, context), NODE)

    perform(monkeypatch, misplaced)
    outcome, _ = observed(nova[0], "audit")
    assert (op.ENTER, "host2/compute_resources") in {(event[0], event[3]) for event in outcome.events}
    assert "ResourceTracker.update_usage: compute_nodes" in {key for key, _ in broken(outcome)}


def test_methods_outside_the_operation_table(nova: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the policy says of methods that only reading the code decides, observed."""

    def others(world: Any) -> None:
        from nova import objects

        tracker, context = world.hosts[HOST].tracker, world.context()
        instance = world.instance(1, context)
        tracker.get_node_by_name(NODE)
        tracker.set_service_ref(objects.Service.get_by_compute_host(context, HOST))
        tracker.delete_allocation_for_evacuated_instance(context, instance, NODE)
        tracker.delete_allocation_for_shelve_offloaded_instance(context, instance)
        tracker.clean_compute_node_cache([])

    perform(monkeypatch, others)
    outcome, discipline = observed(nova[0], "audit")
    assert broken(outcome) == set()
    rows = {row.data["method"]: row.data["status"] for row in discipline.report().rows}
    assert rows["clean_compute_node_cache"] == GUARDED
    # Under the lock that the other one holds; by itself it takes none.
    assert rows["remove_node"] == GUARDED
    assert rows["set_service_ref"] == rows["get_node_by_name"] == READS
    assert rows["delete_allocation_for_evacuated_instance"] == READS
    assert rows["rebuild_claim"] == NEVER
    assert set(EXEMPT) == {"service_ref"}


def test_every_public_method_has_a_row(nova: Opened) -> None:
    from nova.compute.resource_tracker import ResourceTracker

    assert nova[0].policy is not None
    public = {
        name for name in vars(ResourceTracker) if not name.startswith("_") and callable(getattr(ResourceTracker, name))
    }
    table = LockDiscipline(nova[0].policy).report()
    assert {row.data["method"] for row in table.rows} == public
    assert {row.data["status"] for row in table.rows} == {NEVER}
