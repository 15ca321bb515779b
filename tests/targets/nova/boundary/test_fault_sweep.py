"""Every fault at every I/O point of every operation, one at a time, on unmodified 34.0.0.

What is reported then is in ``KNOWN``, each with the lines that explain it; anything else
is a false alarm of an oracle, a wrong choreography, or news. An explanation that nothing
needs any more is wrong too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.targets import find_target
from semafuzz.targets.model.protocol import OpenTarget
from semafuzz.targets.model.scenario import Scenario
from semafuzz.targets.model.staged_program import StagedProgram
from semafuzz.targets.nova.boundary.faults import FAULTS

pytestmark = [pytest.mark.nova, pytest.mark.slow]
Opened = tuple[OpenTarget, ControlledSession]
MOVES = (
    "resize_claim",
    "resize_claim_abort",
    "drop_move_claim",
    "drop_move_claim_at_dest",
    "drop_move_claim_at_source",
)
BUILDS = ("claim", "claim_abort", "delete", "update_usage")
ROLES = {
    "claim": "new",
    "claim_abort": "new",
    "update_usage": "active",
    "delete": "active",
    "resize_claim": "incoming",
    "resize_claim_abort": "incoming",
    "drop_move_claim": "arriving",
    "drop_move_claim_at_dest": "arrived",
    "drop_move_claim_at_source": "leaving",
    "audit": "active",
}


@dataclass(frozen=True)
class Known:
    """``numbers``: the invariants that may be in it. ``places``: the I/O points, "" for any."""

    operations: tuple[str, ...]
    severity: str
    numbers: frozenset[str]
    places: tuple[str, ...] = ("",)


def numbers(*found: int) -> frozenset[str]:
    return frozenset(f"I{number}" for number in found)


KNOWN = {
    # resource_tracker.py: instance_claim, _move_claim, abort_instance_claim, _drop_move_claim
    # and update_usage change the node's figures, cells, devices and tracked sets first, and
    # then call _update, which asks placement and saves. What _update raises leaves the method;
    # no claim is returned that could be aborted. _drop_move_claim forgets the migration only
    # after _update. Likewise where the manager fails after the tracker has done its part
    # (the last save of a build, deletion of the allocation, last save of a revert).
    "figures before writing": Known((*BUILDS, *MOVES), "warning", numbers(1, 2, 3, 6, 7, 9, 11)),
    # resource_tracker.py:_update_available_resource: _copy_resources has put the hypervisor's
    # own figures (nothing used) into the node before the instances are asked for.
    "an audit that fails midway": Known(
        ("audit",), "warning", numbers(1, 2, 3, 4, 6, 7), ("conductor InstanceList", "conductor MigrationList")
    ),
    # resource_tracker.py:instance_claim saves host and pins; what fails afterwards within it is
    # not aborted, and the manager takes back the host only. Any claim computes pins anew.
    "pins of a build that failed": Known(("claim", "claim_abort"), "warning", numbers(15)),
    # resource_tracker.py:_update puts old_resources back when save() raises. Where only the
    # answer was lost, the row has the new figures; once an audit is back at the old ones
    # nothing seems to have changed, and the row stays wrong until something does.
    "a save whose answer is lost": Known(
        ("claim", "claim_abort", "resize_claim", "resize_claim_abort"),
        "error",
        numbers(10),
        ("conductor ComputeNode.save done",),
    ),
    # pci/manager.py:allocate_instance pops the claims, then PciDevice.allocate loads
    # instance.pci_devices over RPC; free_instance_allocations pops the allocations, then
    # PciDevice.free does. Where that load fails, devices are marked but in no map, or free
    # but in no pool, and no audit looks at them again: until the service starts anew.
    "devices between two maps": Known(
        ("claim", "claim_abort", "delete"), "error", numbers(8, 9, 10), ("conductor PciDeviceList",)
    ),
    # resource_tracker.py:_update_available_resource hands clean_usage all migrations, those in
    # error too, which _update_usage_from_migrations skips: devices of a move that failed stay
    # with the instance as long as the migration's record is there.
    "devices of a failed move": Known(
        (
            "resize_claim",
            "resize_claim_abort",
            "drop_move_claim",
            "drop_move_claim_at_source",
            "drop_move_claim_at_dest",
        ),
        "error",
        numbers(9),
    ),
    # Nova promises nobody that what failed is cleaned up: see docs/nova-invariants.md, I20 with a fault.
    "left in the midst": Known((*BUILDS, *MOVES), "warning", numbers(20)),
    # resource_tracker.py:drop_move_claim_at_dest puts the old topology into the instance and
    # saves; where that fails, the manager's handler saves the same object with its state, so that
    # the row has this host and the CPUs of the other one. Audits then apply the context of the
    # migration, which is in error, and pin what it calls new. Its devices are those of the source as well.
    "a revert that fails at its last save": Known(
        ("drop_move_claim_at_dest",), "error", numbers(6, 7, 9), ("conductor Instance.save",)
    ),
}


@pytest.fixture(scope="module")
def nova() -> Iterator[Opened]:
    with find_target("nova").open() as opened, controlled_session(opened.modules) as laboratory:
        yield opened, laboratory


def sweep(nova: Opened, name: str, flavor: int) -> Iterator[tuple[str, str, str, str, frozenset[str]]]:
    """``(fault, place, severity, kind, invariants)`` of each failure."""
    setup = (Operation("instance", {"instance": 1, "role": ROLES[name], "flavor": flavor}),)
    content = Operations(setup, ((Operation(name, {"instance": 1} if name != "audit" else {}),),))
    shared, setting = None, ExecutionConfig(bytearray(1 << 17))
    for info in FAULTS:
        for call in range(1, 100):
            program = nova[0].program(Scenario(content, {}, (Operation(info.name, {"task": 0, "call": call}),)))
            assert isinstance(program, StagedProgram)
            shared = program.stage = shared or program.stage
            outcome = program.execute(SerialOrder((0,)), setting)
            notes = [str(event[3]) for event in outcome.events if event[0] == op.NOTE]
            place = next((note.partition(" at ")[2] for note in notes if note.startswith("fault ")), "")
            if not place:
                break
            assert not outcome.uncontrolled
            for failure in outcome.failures:
                found = frozenset(re.findall(r"I\d+", failure.error_type))
                yield info.name, place, failure.severity, failure.kind, found
        else:
            raise AssertionError(f"{name} makes more than 100 calls that {info.name} fits")


def explanation(name: str, place: str, severity: str, found: frozenset[str]) -> str:
    for text, known in KNOWN.items():
        fits = name in known.operations and severity == known.severity and found <= known.numbers
        if fits and place.startswith(known.places):
            return text
    return ""


used: set[str] = set()


@pytest.mark.parametrize("flavor", [3, 13])
@pytest.mark.parametrize("name", list(ROLES))
def test_what_a_single_fault_reveals_is_known(nova: Opened, name: str, flavor: int) -> None:
    unknown = []
    for fault, place, severity, kind, found in sweep(nova, name, flavor):
        text = explanation(name, place, severity, found) if kind == "invariant" and found else ""
        used.add(text)
        if not text:
            unknown.append((fault, place, severity, kind, sorted(found)))
    assert unknown == []


def test_every_explanation_is_needed(nova: Opened) -> None:
    for name, flavor in (
        ("claim", 3), ("audit", 3), ("drop_move_claim_at_dest", 3), ("claim", 13), ("resize_claim", 13),
    ):  # fmt: skip
        for _, place, severity, _, found in sweep(nova, name, flavor):
            used.add(explanation(name, place, severity, found))
    assert used - {""} == set(KNOWN)
