"""Operations that Nova's own compute managers perform, over both hosts: where each
leaves the instance, and what the oracles say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress

import pytest

from semafuzz.harness.traces.schema import Operation, Value
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import ImpossibleStartError, OpenTarget
from semafuzz.targets.nova.operations.table import TABLE
from semafuzz.targets.nova.world.world import World

pytest.importorskip("nova")

ENDS = {
    "resize_away": ("host2", "resized", "finished"),
    "resize_here": ("host1", "resized", "finished"),
    "resize_fails": ("host2", "error", "error"),
    "resize_in_place": ("host1", "resized", "finished"),
    "confirm_away": ("host2", "active", "confirmed"),
    "confirm_here": ("host1", "active", "confirmed"),
    "confirm_in_place": ("host1", "active", "confirmed"),
    "revert_away": ("host1", "active", "reverted"),
    "revert_here": ("host2", "active", "reverted"),
    "revert_in_place": ("host1", "active", "reverted"),
    "live_migrate_away": ("host2", "active", "completed"),
    "live_migrate_here": ("host1", "active", "completed"),
    # Judged is the host that it came from as it comes back.
    "evacuate_here": ("host1", "active", "completed"),
    "shelve": (None, "shelved_offloaded", None),
    "unshelve": ("host1", "active", None),
}
"""Host and state of the instance, status of the newest migration."""
EXPECTED = {
    # resource_tracker.py:_drop_move_claim forgets the uuid as that of an instance, too.
    "confirm_in_place": {"I11 tracked"},
    "revert_in_place": {"I11 tracked"},
    # Claimed for are only live migrations of instances with a NUMA topology.
    "live_migrate_away": {"I1 memory_mb_used", "I2 vcpus_used", "I3 local_gb_used", "I11 tracked"},
    "live_migrate_here": {"I1 memory_mb_used", "I2 vcpus_used", "I3 local_gb_used", "I11 tracked"},
}
"""Warnings that need no concurrency."""


@pytest.fixture(scope="module")
def nova() -> Iterator[OpenTarget]:
    with find_target("nova").open() as opened:
        yield opened


def perform(nova: OpenTarget, name: str, flavor: int, world: str) -> tuple[World, list[str]]:
    """The world after one operation, and the severity and oracles of what was wrong."""
    arguments: dict[str, Value] = {"instance": 1, "role": TABLE[name].before, "flavor": flavor}
    stage = nova.stage([Operation("instance", arguments)], {"world": world})  # type: ignore[attr-defined]
    stage.restore()
    operation = Operation(name, {"instance": 1})
    stage.perform(operation)
    found = stage.judge([[operation]], [])
    return stage._world, [f"{one.severity}: {one.error_type}" for one in found]


@pytest.mark.parametrize("world", ["fast", "real"])
@pytest.mark.parametrize("flavor", [1, *(pytest.param(size, marks=pytest.mark.slow) for size in (3, 11))])
@pytest.mark.parametrize("name", ENDS)
def test_where_it_ends(nova: OpenTarget, name: str, flavor: int, world: str) -> None:
    made, found = perform(nova, name, flavor, world)
    host, state, status = ENDS[name]
    row = made.conductor.tables["instance"][made.uuid(1)]
    assert (row["host"], row["vm_state"], row["task_state"]) == (host, state, None)
    migrations = [one["status"] for one in made.conductor.rows("migration")]
    assert migrations[-1:] == ([] if status is None else [status])
    wrong = {name for one in found for name in one.partition(": ")[2].split(", ")}
    # What an instance with pinned CPUs keeps, or one with devices, is named besides by its own oracles.
    assert wrong <= EXPECTED.get(name, set()) | {"I15 numa_topology"}, found
    assert not any(one.startswith("error") for one in found)


@pytest.mark.parametrize("world", ["fast", "real"])
def test_an_evacuation_that_finds_no_room_is_refused(nova: OpenTarget, world: str) -> None:
    setup = [
        Operation("instance", {"instance": 1, "role": "there", "flavor": 13}),
        Operation("instance", {"instance": 2, "role": "active", "flavor": 13}),
    ]
    stage = nova.stage(setup, {"world": world})  # type: ignore[attr-defined]
    stage.restore()
    evacuate = Operation("evacuate_here", {"instance": 1})
    with pytest.raises(stage.refusals, match="Insufficient compute resources"):
        stage.perform(evacuate)
    assert [one for one in stage.judge([[evacuate]], []) if one.severity == "error"] == []


@pytest.mark.parametrize(("refuses", "flavor", "host"), [(True, 3, "host2"), (True, 1, "host1"), (False, 3, "host1")])
def test_a_numa_topology_moves_live_where_the_conductor_lets_it(
    nova: OpenTarget, monkeypatch: pytest.MonkeyPatch, refuses: bool, flavor: int, host: str
) -> None:
    """19 and some releases before it refuse; flavor 3 has pinned CPUs."""
    arguments: dict[str, Value] = {"instance": 1, "role": "there", "flavor": flavor}
    stage = nova.stage([Operation("instance", arguments)], {"world": "fast"})  # type: ignore[attr-defined]
    stage.restore()
    monkeypatch.setattr(stage._world, "refuses_numa_live_migration", refuses)
    move = Operation("live_migrate_here", {"instance": 1})
    with pytest.raises(stage.refusals, match="NUMA") if host == "host2" else nullcontext():
        stage.perform(move)
    assert stage._world.conductor.tables["instance"][stage._world.uuid(1)]["host"] == host
    assert [one for one in stage.judge([[move]], []) if one.severity == "error"] == []


@pytest.mark.parametrize("world", ["fast", "real"])
def test_the_scheduler_sends_no_instance_where_its_devices_are_not(nova: OpenTarget, world: str) -> None:
    """Where others have the devices of this host, one more has to stay away."""
    here = [Operation("instance", {"instance": number, "role": "active", "flavor": 11}) for number in (2, 3, 4)]
    setup = [Operation("instance", {"instance": 1, "role": "there", "flavor": 11}), *here]
    move = Operation("live_migrate_here", {"instance": 1})
    left = []
    for many in range(len(setup), 0, -1):
        stage = nova.stage(setup[:many], {"world": world})  # type: ignore[attr-defined]
        try:
            stage.restore()
        except ImpossibleStartError:
            continue
        with suppress(*stage.refusals):
            stage.perform(move)
        row = stage._world.conductor.tables["instance"][stage._world.uuid(1)]
        left.append(row["host"])
        assert [one for one in stage.judge([[move]], []) if one.severity == "error"] == []
    assert left[0] == "host2"
    assert left[-1] == "host1"


def test_every_operation_of_the_managers_is_listed() -> None:
    far = {
        name
        for name, spec in TABLE.items()
        if spec.run.__module__ == "semafuzz.targets.nova.operations.managed.moves" and spec.before and not spec.shared
    }
    assert far == set(ENDS)


def test_the_other_host_is_judged_where_a_program_reaches_it(nova: OpenTarget) -> None:
    stage = nova.stage([], {"world": "fast"})  # type: ignore[attr-defined]
    for name, wanted in (("audit_other", ["I1 memory_mb_used", "I4 free_ram_mb"]), ("audit", [])):
        stage.restore()
        stage._world.hosts["host2"].tracker.compute_nodes["node2"].memory_mb_used += 1
        found = stage.judge([[Operation(name)]], [])
        assert [part for one in found for part in one.error_type.split(", ")] == wanted
