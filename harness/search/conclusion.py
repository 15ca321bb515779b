"""Conclusion of a search: what detectors add to its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semafuzz.harness.detectors.protocol import Detector
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result


def conclude(result: Result, detectors: Sequence[Detector]) -> None:
    """Complete the failures by what all executions showed, and add the sections."""
    result.failures = [_completed(finding, detectors) for finding in result.failures]
    result.sections += [section for detector in detectors if (section := detector.report()) is not None]


def _completed(finding: Finding, detectors: Sequence[Detector]) -> Finding:
    """A finding that names one place only, with what a detector knows beside it."""
    if len(finding.places) > 1:
        return finding
    for detector in detectors:
        more = detector.complete(finding.kind, finding.detail)
        if more is not None:
            return replace(finding, message=more.message, places=(*finding.places, *more.places))
    return finding
