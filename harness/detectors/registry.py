"""Detectors that can be asked for by name; those that a target's policy brings are not here."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.detectors.lockset.eraser import Lockset
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Model

DETECTORS = {"lockset": ("which lock seems to guard which state (Eraser); advice, never a failure", Lockset)}


def make_detectors(names: Sequence[str], model: Model) -> list[Lockset]:
    """The detectors with these names, each once. UsageError for one that there is not,
    in the eventlet model, in which no access is seen, and for trio, whose locks are not."""
    if names and model == "eventlet":
        raise UsageError(f"detector {names[0]} needs accesses, and --model eventlet sees none")
    if names and model == "trio":
        raise UsageError(
            f"detector {names[0]} knows the locks of threading, not trio's; leave it out for async functions"
        )
    for name in names:
        if name not in DETECTORS:
            raise UsageError(f"unknown detector {name!r}; choose one of {', '.join(DETECTORS)}")
    return [DETECTORS[name][1]() for name in dict.fromkeys(names)]
