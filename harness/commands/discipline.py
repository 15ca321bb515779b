"""Lock discipline in the commands that run a target's programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.detectors.discipline_table import DisciplineTable, discipline_table
from harness.detectors.lock_discipline import LockDiscipline
from harness.findings import Finding
from harness.kernel.outcome import LOCK_DISCIPLINE
from harness.kernel.sites import SITES
from targets.protocol import OpenTarget


def discipline_of(opened: OpenTarget, model: str) -> LockDiscipline | None:
    """The detector for the target's policy. None where it states none, and in the
    eventlet model, in which no access is seen."""
    return LockDiscipline(opened.policy) if opened.policy is not None and model == "threads" else None


def watchers_of(opened: OpenTarget, model: str) -> tuple[LockDiscipline, ...]:
    """What watches a program of the target that is run again."""
    found = discipline_of(opened, model)
    return () if found is None else (found,)


def conclude(
    discipline: LockDiscipline, findings: Sequence[Finding], release: str
) -> tuple[list[Finding], DisciplineTable]:
    """The findings, warnings with the place where the lock is held as far as any
    execution showed it, and the table."""
    return [_completed(finding, discipline) for finding in findings], discipline_table(discipline, release)


def _completed(finding: Finding, discipline: LockDiscipline) -> Finding:
    if finding.kind != LOCK_DISCIPLINE or len(finding.places) > 1:
        return finding
    use = discipline.other_side(finding.detail[0])
    if use is None:
        return finding
    message = f"{finding.detail[0]}; {discipline.describe(use)}"
    return replace(finding, message=message, places=(*finding.places, SITES[use.site].place()))
