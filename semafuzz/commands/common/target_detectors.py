"""The detectors of a target's programs, in the commands that run them."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.detectors.registry import make_detectors
from semafuzz.harness.kernel.outcome import Model
from semafuzz.targets.model.protocol import OpenTarget


def detectors_of(opened: OpenTarget, model: Model, detect: Sequence[str] = (), subject: str = "") -> list[Detector]:
    """Those for one target. ``subject``: target and release, for headings.

    The target's policy is watched where it states one. Where it does not, candidate
    locksets suggest one, as they do when ``detect`` asks for them. Not in the
    eventlet model, in which no access is seen.
    """
    asked = make_detectors(detect, model)
    if model == "eventlet":
        return asked
    if opened.policy is not None:
        return [LockDiscipline(opened.policy, subject), *asked]
    return asked or make_detectors(["lockset"], model)
