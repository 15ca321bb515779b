"""Detectors by the names that the command line takes, and by their sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.detectors.lock_order.detector import LockOrders
from semafuzz.harness.detectors.lock_use.detector import LockUse
from semafuzz.harness.detectors.lockset.eraser import Lockset
from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.detectors.races.detector import Races
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.sections.section import Section

DETECTORS: dict[str, tuple[str, Callable[[], Detector]]] = {
    "lock-order": (
        "locks taken in different orders; each cycle is tried, and only a deadlock is a failure",
        LockOrders,
    ),
    "lock-use": (
        "waits under a lock, locks left behind, conditions waited for without looking; never a failure",
        LockUse,
    ),
    "races": ("accesses that nothing orders (FastTrack), and what came of both orders; never a failure", Races),
    "lockset": ("which lock seems to guard which state (Eraser); advice, never a failure", Lockset),
}
"""Those that can be asked for. What a target's policy brings is not here."""

UNASKED: tuple[str, ...] = ("lock-order", "lock-use")
"""Those that ``check`` runs by itself, where the model sees threads. Each costs under a fifth of an execution, and
looks at one in ten of those after the first 200. (``races`` costs half of the smallest.)"""
NONE = "none"
"""The name that switches these off."""

REPORTING: tuple[type[Detector], ...] = (LockDiscipline, LockOrders, LockUse, Lockset, Races)
"""Those that report a section."""


def make_unasked(names: Sequence[str], model: Model) -> list[Detector]:
    """The detectors that are run beside those with these names."""
    if model not in ("threads", "gil") or NONE in names:
        return []
    return [DETECTORS[name][1]() for name in UNASKED if name not in names]


def make_detectors(names: Sequence[str], model: Model) -> list[Detector]:
    """The detectors with these names, each once; none for ``none``. UsageError for one that there is not,
    in the eventlet model, in which no access is seen, and for trio, whose locks are not."""
    names = [name for name in names if name != NONE]
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


def merge_sections(results: Sequence[Sequence[Section]]) -> list[Section]:
    """The sections of several searches together, each by the detector that made it."""
    by_name: dict[str, list[Section]] = {}
    for sections in results:
        for section in sections:
            by_name.setdefault(section.name, []).append(section)
    makers = {detector.section: detector for detector in REPORTING}
    return [makers.get(name, Detector).merge(sections) for name, sections in by_name.items()]
