"""Content of the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.reports.run_view.schema import FindingView
from semafuzz.reports.summaries import Summary


@dataclass(frozen=True, slots=True)
class Site:
    """What a report is made of. ``findings``: each with its severity and the name of its files;
    ``broken``: what could not be read; ``matrix``: answers for defects, by release."""

    findings: Sequence[tuple[FindingView, Severity, str]]
    summary: Summary | None = None
    broken: Sequence[str] = ()
    matrix: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
