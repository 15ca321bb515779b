"""What is tested: the registry of targets, the only names that a trace may use."""

from __future__ import annotations

from harness.errors import UsageError
from targets.nova.target import NovaTarget
from targets.protocol import Target

TARGETS: dict[str, Target] = {"nova": NovaTarget()}


def find_target(name: str) -> Target:
    """The target with this name; UsageError where there is none."""
    found = TARGETS.get(name)
    if found is None:
        raise UsageError(f"unknown target {name!r}; `semafuzz list targets` shows those there are")
    return found
