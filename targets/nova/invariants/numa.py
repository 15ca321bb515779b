"""I6 and I7: what the host's NUMA cells say against what instances hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from semafuzz.targets.nova.invariants.checks import CELLS, PINNED_CPUS, PINNED_ONCE, Violation
from semafuzz.targets.nova.invariants.expected_claims import topologies
from semafuzz.targets.nova.world.names import HERE
from semafuzz.targets.nova.world.node_id import Place
from semafuzz.targets.nova.world.world import World


def _instance_cells(topology: Any) -> list[Any]:
    """The cells of an instance's topology (a primitive, or None)."""
    if topology is None:
        return []
    return [cell["nova_object.data"] for cell in topology["nova_object.data"]["cells"]]


def _pins(cell: Any) -> list[int]:
    """The host CPUs that a cell of an instance owns; one may be named for two of its
    purposes (a CPU for emulator threads is set apart from those of the guest)."""
    pinning = cell.get("cpu_pinning_raw") or {}
    return [*map(int, pinning.values()), *map(int, cell.get("cpuset_reserved") or ())]


def _shared(cell: Any, host: Any) -> int:
    """How many CPUs of a host's cell in use a cell of an instance accounts for: those that
    it shares. Up to 21 its ``cpuset`` has those that are pinned, too, and up to 19, where
    the host does not tell them apart, they count as well."""
    if "pcpuset" not in host.fields:
        return len(cell["cpuset"]) + len(cell.get("cpuset_reserved") or ())
    return 0 if "pcpuset" not in cell and cell.get("cpu_pinning_raw") else len(cell["cpuset"])


def _held(world: World, place: Place) -> list[Any]:
    """The cells of all that counts on a node."""
    return [cell for topology in topologies(world, place) for cell in _instance_cells(topology)]


def shared_pins(world: World, place: Place = HERE) -> Iterator[Violation]:
    """I6, as far as the rows alone tell: no CPU has two owners."""
    pins = [cpu for cell in _held(world, place) for cpu in _pins(cell)]
    if len(pins) != len(set(pins)):
        yield Violation(PINNED_ONCE, "shared pins", f"a CPU is pinned twice among {sorted(pins)}")


def numa_violations(world: World, node: Any, place: Place = HERE) -> Iterator[Violation]:
    """I6: the host's pinned CPUs are the disjoint union of what is held. I7: memory,
    shared CPUs and pages of each cell are the sums."""
    from nova import objects

    if not node.numa_topology:
        return
    host = objects.NUMATopology.obj_from_db_obj(node.numa_topology)
    held = _held(world, place)
    pins = [cpu for cell in held for cpu in _pins(cell)]
    pinned = {cpu for cell in host.cells for cpu in cell.pinned_cpus}
    yield from shared_pins(world, place)
    if pinned != set(pins):
        yield Violation(
            PINNED_CPUS, "pinned_cpus", f"the host has pinned {sorted(pinned)}, instances hold {sorted(set(pins))}"
        )
    for cell in host.cells:
        mine = [one for one in held if one["id"] == cell.id]
        memory, cpus = sum(one["memory"] for one in mine), sum(_shared(one, cell) for one in mine)
        if cell.memory_usage != memory:
            yield Violation(
                CELLS, "cell memory", f"cell {cell.id} has {cell.memory_usage} MiB in use, instances hold {memory}"
            )
        if cell.cpu_usage != cpus:
            yield Violation(
                CELLS, "cell cpus", f"cell {cell.id} has {cell.cpu_usage} CPUs in use, instances hold {cpus}"
            )
        yield from _page_violations(cell, mine)


def _page_violations(cell: Any, mine: list[Any]) -> Iterator[Violation]:
    from nova.virt import hardware

    if not hasattr(hardware, "_get_smallest_pagesize"):
        # Up to 18.0 the pages of those alone are counted that ask for a size.
        mine = [one for one in mine if one.get("pagesize")]
    smallest = min(pages.size_kb for pages in cell.mempages)
    wanted: Counter[int] = Counter()
    for one in mine:
        size = one.get("pagesize") or smallest
        wanted[size] += one["memory"] * 1024 // size
    for pages in cell.mempages:
        if pages.used != wanted[pages.size_kb]:
            text = f"cell {cell.id} has {pages.used} pages of {pages.size_kb} KiB in use, instances hold "
            yield Violation(CELLS, "pages", text + str(wanted[pages.size_kb]))
