"""The registry of targets, the only names that a trace may use."""

from __future__ import annotations

from semafuzz.harness.errors import UsageError
from semafuzz.harness.traces.schema import Trace
from semafuzz.targets.declared.loading import is_spec, load_own, traced_declared
from semafuzz.targets.declared.target import DECLARED, Declared
from semafuzz.targets.model.protocol import Target
from semafuzz.targets.nova.target import NovaTarget
from semafuzz.targets.reference.target import Reference

TARGETS: dict[str, Target] = {
    "nova": NovaTarget(),
    "reference": Declared(Reference(), name="reference", release="1"),
}


def find_target(name: str) -> Target:
    """The target with this name; UsageError where there is none."""
    found = TARGETS.get(name)
    if found is None:
        raise UsageError(
            f"unknown target {name!r}; `semafuzz list targets` shows those there are, FILE.py:CLASS names your own"
        )
    return found


def choose_target(name: str, what_if: str = "", faults: str = "") -> Target:
    """The target that a person names: one of the registry, or FILE.py:CLASS, whose
    place is remembered for its traces. UsageError where there is none."""
    return load_own(name, remember=True, what_if=what_if, faults=faults) if is_spec(name) else find_target(name)


def traced_target(trace: Trace, program: str | None = None) -> Target:
    """The target that a trace is of. ``program``: FILE.py:CLASS, for a declared one
    whose file this machine does not know. UsageError where there is none."""
    if trace.target == DECLARED:
        return traced_declared(trace, program)
    if program is not None:
        raise UsageError(
            "--program goes with traces of checked functions and of targets of your own; "
            f"this trace is of {trace.target}"
        )
    return find_target(trace.target)
