"""Data of a report, for the formats that tell of all findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.sections.section import Section
from semafuzz.reports.run_view.schema import FindingView

Told = tuple[FindingView, Severity]
"""A finding and its severity."""


class Report(NamedTuple):
    """``findings``: the worst first. ``title``: of the search. ``sections``: what its detectors
    have to say."""

    findings: Sequence[Told]
    title: str = "semafuzz"
    sections: Sequence[Section] = ()
