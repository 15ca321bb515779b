"""The conductor and placement in memory: copies, conflicts, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from semafuzz.harness.runs.session import controlled_session
from semafuzz.targets import find_target
from semafuzz.targets.nova.operations.table import NODE, set_up
from semafuzz.targets.nova.world.hypervisor import NODE_UUIDS
from semafuzz.targets.nova.world.world import Snapshot, World

pytestmark = pytest.mark.nova
PROVIDER = f"/resource_providers/{NODE_UUIDS[NODE]}"


@pytest.fixture(scope="module")
def start() -> Iterator[tuple[World, Snapshot]]:
    with find_target("nova").open() as opened, controlled_session(opened.modules):
        world = World()
        set_up(world, {"instance": 1, "role": "active", "flavor": 1})
        set_up(world, {"instance": 2, "role": "incoming", "flavor": 1})
        yield world, world.snapshot()


@pytest.fixture
def world(start: tuple[World, Snapshot]) -> World:
    start[0].restore(start[1])
    return start[0]


def load(world: World, number: int = 1) -> Any:
    return world.instance(number, world.context())


def test_what_comes_back_is_a_copy(world: World) -> None:
    first, second = load(world), load(world)
    assert first is not second
    first.vm_state = "stopped"
    assert load(world).vm_state == "active"
    flavor = first.flavor
    first.save()
    assert first.flavor is not flavor
    assert load(world).vm_state == "stopped"
    assert second.vm_state == "active"


def test_a_save_refuses_another_task_state(world: World) -> None:
    from nova import exception

    instance = load(world)
    instance.vm_state = "error"
    with pytest.raises(exception.UnexpectedTaskStateError):
        instance.save(expected_task_state=["scheduling"])
    with pytest.raises(exception.UnknownInstanceUpdateConflict):
        instance.save(expected_vm_state=["building"])
    other = load(world)
    other.task_state = "deleting"
    other.save()
    with pytest.raises(exception.UnexpectedDeletingTaskStateError):
        instance.save(expected_task_state=["scheduling"])


def test_a_save_without_a_plain_column_checks_nothing(world: World) -> None:
    """Nova's own habit (instance.py: the early return of ``save``)."""
    instance = load(world)
    instance.old_flavor = world.flavor(2)
    instance.save(expected_task_state=["nothing"])
    assert load(world).old_flavor.id == 2


def test_gone_records_are_not_found(world: World) -> None:
    from nova import exception

    context = world.context()
    instance = load(world)
    instance.destroy()
    with pytest.raises(exception.InstanceNotFound):
        load(world)
    instance.vm_state = "error"
    with pytest.raises(exception.InstanceNotFound):
        instance.save()
    with pytest.raises(exception.MigrationNotFound):
        world.migration_of(1, context)
    migration = world.migration_of(2, context)
    load(world, 2).destroy()
    migration.status = "error"
    # Nova's database layer reads and writes migrations that are deleted.
    migration.save()
    assert world.conductor.do_Migration_get_by_uuid(context, migration.uuid)["nova_object.data"]["status"] == "error"
    for call in (
        lambda: world.conductor.do_Service_get_by_compute_host(context, "nowhere"),
        lambda: world.conductor.do_ComputeNode_get_by_uuid(context, "nowhere"),
    ):
        with pytest.raises(exception.ComputeHostNotFound):
            call()


def test_refusals_of_half_set_records(world: World) -> None:
    from nova import exception, objects

    instance = load(world)
    instance.node = "node9"
    with pytest.raises(exception.ObjectActionError):
        instance.save()
    migration = objects.Migration(context=world.context(), instance_uuid=instance.uuid)
    with pytest.raises(exception.ObjectActionError):
        migration.create()
    migration.migration_type = "resize"
    migration.dest_node = NODE
    with pytest.raises(exception.ObjectActionError):
        migration.create()


def test_a_node_can_be_destroyed_once(world: World) -> None:
    from nova import exception, objects

    node = world.hosts["host1"].tracker.compute_nodes[NODE]
    context = world.context()
    twin = objects.ComputeNode(context, uuid=node.uuid, hypervisor_hostname=NODE)
    with pytest.raises(exception.DuplicateRecord):
        twin.create()
    world.conductor.do_ComputeNode_destroy(context, node)
    with pytest.raises(exception.ComputeHostNotFound):
        world.conductor.do_ComputeNode_destroy(context, node)
    with pytest.raises(exception.ComputeHostNotFound):
        world.conductor.do_ComputeNode_save(context, node)


def test_lazy_loads(world: World) -> None:
    from nova import exception, objects

    bare = objects.Instance.get_by_uuid(world.context(), world.uuid(1), expected_attrs=[])
    assert bare.migration_context is None
    assert bare.numa_topology is None
    assert bare.resources is None
    assert list(bare.pci_requests.requests) == []
    assert list(bare.pci_devices) == []
    with pytest.raises(exception.MigrationContextNotFound):
        world.conductor.do_MigrationContext_get_by_instance_uuid(world.context(), "none")


def test_what_is_not_there_says_so(world: World) -> None:
    # Not NotImplementedError: Nova's objects take that for a conductor of older ways.
    with pytest.raises(LookupError, match=r"KeyPair\.get_by_name"):
        world.conductor.object_class_action_versions(world.context(), "KeyPair", "get_by_name", {}, ("u", "k"), {})
    with pytest.raises(NotImplementedError):
        world.conductor.object_backport_versions(None, None, None)
    with pytest.raises(NotImplementedError, match="tags"):
        world.conductor.do_Instance_get_by_uuid(world.context(), world.uuid(1), ["tags"])
    with pytest.raises(NotImplementedError, match="PATCH"):
        world.placement.request("PATCH", "/resource_providers")
    with pytest.raises(NotImplementedError):
        world.placement.get("/resource_providers?name=x")


def test_placement_generations(world: World) -> None:
    place = world.placement

    def generation() -> int:
        body = place.get(f"{PROVIDER}/inventories").json()
        assert body is not None
        return int(body["resource_provider_generation"])

    before = generation()
    body = {"inventories": {"VCPU": {"total": 4}}, "resource_provider_generation": before - 1}
    assert place.put(f"{PROVIDER}/inventories", json=body).status_code == 409
    traits = {"traits": ["CUSTOM_A"], "resource_provider_generation": before}
    assert place.put(f"{PROVIDER}/traits", json=traits).status_code == 200
    assert generation() == before + 1
    assert place.put(f"{PROVIDER}/traits", json=traits).status_code == 409
    again = {"traits": ["CUSTOM_A"], "resource_provider_generation": before + 1}
    assert place.put(f"{PROVIDER}/traits", json=again).status_code == 200
    assert generation() == before + 1
    world.deallocate(world.uuid(1))
    assert generation() == before + 1
    world.allocate(world.uuid(1), NODE, 1)
    assert generation() == before + 2


def test_placement_refuses(world: World) -> None:
    place = world.placement
    assert place.get("/resource_providers/none/traits").status_code == 404
    assert place.delete("/allocations/none").status_code == 404
    assert place.delete(PROVIDER).status_code == 409
    twin = {"uuid": "u", "name": NODE}
    assert place.post("/resource_providers", json=twin).status_code == 409
    body = {"inventories": {}, "resource_provider_generation": place.providers[NODE_UUIDS[NODE]]["generation"]}
    assert place.put(f"{PROVIDER}/inventories", json=body).status_code == 409
    too_much = {"allocations": {NODE_UUIDS[NODE]: {"resources": {"VCPU": 10_000}}}, "consumer_generation": None}
    answer = place.put("/allocations/big", json=too_much, microversion="1.38")
    assert not answer
    assert "capacity" in answer.text
    stale = {"allocations": {}, "consumer_generation": 99}
    moved = place.post("/allocations", json={world.uuid(1): stale}, microversion="1.38")
    assert moved.status_code == 409
    assert world.uuid(1) in place.allocations


def test_aggregates_have_a_generation_from_1_19_on(world: World) -> None:
    place = world.placement
    url, wanted = f"{PROVIDER}/aggregates", ["00000000-0000-0000-0000-00000000000a"]
    generation = place.get(url, microversion="1.19").json()["resource_provider_generation"]
    assert place.put(url, json=wanted, microversion="1.1").json() == {"aggregates": wanted}
    body = {"aggregates": [], "resource_provider_generation": generation + 1}
    assert place.put(url, json=body, microversion="1.19").status_code == 409
    body["resource_provider_generation"] = generation
    answer = place.put(url, json=body, microversion="1.19").json()
    assert answer == {"aggregates": [], "resource_provider_generation": generation + 1}


def test_a_provider_is_told_with_its_creation_from_1_20_on(world: World) -> None:
    place = world.placement
    for number, version in enumerate(("1.14", "1.20")):
        made = {"uuid": f"00000000-0000-0000-0000-0000000000f{number}", "name": f"new{number}"}
        answer = place.post("/resource_providers", json=made, microversion=version)
        assert (answer.status_code, bool(answer.json())) == ((201, False) if version == "1.14" else (200, True))
        assert place.get(f"/resource_providers/{made['uuid']}", microversion="1.14").json()["name"] == made["name"]


def test_placement_answers(world: World) -> None:
    place = world.placement
    view = place.get(f"/resource_providers?in_tree={NODE_UUIDS[NODE]}").json()
    assert view is not None
    assert [one["name"] for one in view["resource_providers"]] == [NODE]
    assert place.get("/resource_providers?member_of=in:x").json() == {"resource_providers": []}
    assert place.get(f"{PROVIDER}/aggregates").json() is not None
    old = place.get(f"/allocations/{world.uuid(1)}", microversion="1.12").json()
    new = place.get(f"/allocations/{world.uuid(1)}", microversion="1.38").json()
    assert old is not None
    assert new is not None
    assert "consumer_generation" not in old
    assert new["consumer_type"] == "INSTANCE"
    assert place.get("/allocations/none").json() == {"allocations": {}}
    listed = place.get(f"{PROVIDER}/allocations", microversion="1.28").json()
    assert listed is not None
    assert "consumer_generation" in listed["allocations"][world.uuid(1)]
    child = {"uuid": "child", "name": "child", "parent_provider_uuid": NODE_UUIDS[NODE]}
    assert place.post("/resource_providers", json=child)
    assert place.delete("/resource_providers/child").status_code == 204


def test_a_snapshot_is_the_whole_state(world: World) -> None:
    before = world.snapshot()
    row = dict(world.node_row(NODE))
    set_up(world, {"instance": 5, "role": "active", "flavor": 2})
    assert world.node_row(NODE) != row
    world.restore(before)
    assert world.node_row(NODE) == row
    assert world.uuid(5) not in world.conductor.tables["instance"]
    assert world.uuid(5) not in world.hosts["host1"].tracker.tracked_instances
