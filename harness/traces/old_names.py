"""Names in traces that were written before the modules moved.

A failure is known by the code places that identify it, and a place by its module. Up to 0.1.0 a
part of semafuzz that stands for a program's surroundings was imported as ``targets...``; traces of
that time are read as if they had the names of today.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from semafuzz.harness.kernel.ownership import PACKAGE
from semafuzz.harness.traces.schema import Trace

_MOVED = (
    ("targets", "targets.declared", "declared=api declared_files=loading declared_stage=target"),
    (
        "targets",
        "targets.model",
        "alone=solo_run bound=configured_target catalogue configuration faults=fault_plan "
        "legality origin=trace_origin protocol scenario simpler=scenario_edits "
        "sizes=scenario_order staged=staged_program",
    ),
    ("targets.reference", "targets.reference", "database defects target tracker"),
    ("targets.nova", "targets.nova", "agreement configuration refused=refused_stage stage target"),
    ("targets.nova", "targets.nova.boundary", "boundary=calls faults primitives processes=process"),
    (
        "targets.nova",
        "targets.nova.in_memory",
        "conductor conductor_instances conductor_pci conductor_records placement",
    ),
    (
        "targets.nova",
        "targets.nova.invariants",
        "build_counts counting=expected_claims invariants=usage numa_invariants=numa "
        "pci_invariants=pci policy=lock_policy record_invariants=records "
        "vpmem_invariants=vpmem",
    ),
    ("targets.nova", "targets.nova.operations", "hotplug nodes operations=table restarts"),
    ("targets.nova", "targets.nova.operations.managed", "journeys=moves ports requests servers=builds"),
    ("targets.nova", "targets.nova.operations.reenacted", "builds manager moves"),
    ("targets.nova", "targets.nova.releases", "boot environments library_sets releases=fetching shims"),
    (
        "targets.nova",
        "targets.nova.world",
        "driver=hypervisor flavors network pci_devices places=node_id sections=named_locks "
        "service=rpc surroundings=stubs trackers=tracker_factory vpmem world",
    ),
    ("targets.nova.real", "targets.nova.real", "conductor database elsewhere=server_side placement services"),
)
"""The folder of old, the new one, and what moved: names, or ``old=new``."""


def _moves() -> dict[str, str]:
    found: dict[str, str] = {}
    for before, after, names in _MOVED:
        for name in names.split():
            old, _, new = name.partition("=")
            found[f"{before}.{old}"] = f"{PACKAGE}.{after}.{new or old}"
    return found


_NOW = _moves()


def renewed(trace: Trace) -> Trace:
    """The trace as it would be written today. Of another version than 0.1.0 it is so already."""
    if trace.versions.get("semafuzz") != "0.1.0":
        return trace
    identity = current_identity(trace.expected.identity)
    if identity == trace.expected.identity:
        return trace
    return msgspec.structs.replace(trace, expected=msgspec.structs.replace(trace.expected, identity=identity))


def current_identity(identity: Sequence[str]) -> tuple[str, ...]:
    """The identity of a failure with the names of today. The places in it are ordered by name."""
    kind_and_type, places = identity[:2], [place.split("|") for place in identity[2:]]
    renamed = ("|".join([_NOW.get(module, module), *more]) for module, *more in places)
    return (*kind_and_type, *sorted(renamed))
