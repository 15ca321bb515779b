"""I9 and I12: units of persistent memory, each of which has one owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semafuzz.targets.nova.invariants.checks import GIVEN_OUT, INSTANCE_ROWS, UNITS_OWNED_ONCE, Violation
from semafuzz.targets.nova.invariants.expected_claims import counted
from semafuzz.targets.nova.world.hypervisor import NODE_UUIDS
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.world import World


def vpmem_violations(world: World, tracker: Any, place: Place = HERE) -> Iterator[Violation]:
    """I9, from the rows alone: no unit has two owners. I12: what the tracker has given out
    is what instances and pending migrations hold. I15: an instance has units of its own
    node only."""
    if not world.vpmem:
        return
    provider = NODE_UUIDS[place.node]
    instances, shares = counted(world, place)
    held = []
    for uuid, row in instances.items():
        for unit in _units(row["_extra"].get("resources")):
            held.append(_name(unit))
            if unit["provider_uuid"] != provider:
                yield Violation(
                    INSTANCE_ROWS, "resources", f"{uuid} is on {place.node} with {unit['identifier']} of another node"
                )
    for share in shares:
        held += [_name(unit) for unit in _units(share.of_context("resources"))]
    if len(held) != len(set(held)):
        yield Violation(
            UNITS_OWNED_ONCE, "shared vPMEM", f"a unit is owned twice among {sorted(unit for _, unit in held)}"
        )
    have = given_out(tracker).get(provider, [])
    own = sorted({unit for owner, unit in held if owner == provider})
    # The audit of each node begins anew for all of them.
    if have != own and len(tracker.compute_nodes) == 1:
        yield Violation(GIVEN_OUT, "assigned_resources", f"the tracker has given out {have}, the rows hold {own}")


def given_out(tracker: Any) -> dict[str, list[str]]:
    """By provider: the units that the tracker has given out, none where there are none."""
    assigned = getattr(tracker, "assigned_resources", {})
    found = {
        provider: sorted(unit.identifier for units in classes.values() for unit in units)
        for provider, classes in assigned.items()
    }
    return {provider: units for provider, units in found.items() if units}


def _name(unit: Any) -> tuple[str, str]:
    """A unit: its node, and its name there."""
    return unit["provider_uuid"], unit["identifier"]


def _units(resources: Any) -> list[Any]:
    """The units of a list of resources (a primitive, or None)."""
    if resources is None:
        return []
    return [one["nova_object.data"] for one in resources["nova_object.data"]["objects"]]
