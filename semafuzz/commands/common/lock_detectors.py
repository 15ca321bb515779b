"""What watches the locking of a target's programs, in the commands that run them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.detectors.discipline.table import discipline_table
from semafuzz.harness.detectors.protocol import Watcher
from semafuzz.harness.detectors.registry import make_detectors
from semafuzz.harness.kernel.outcome import LOCK_DISCIPLINE, Model
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.targets.model.protocol import OpenTarget


class Locking:
    """The detectors for one target, and what they come to.

    The target's policy is watched where it states one. Where it does not, candidate
    locksets suggest one, as they do when ``detect`` asks for them. Not in the
    eventlet model, in which no access is seen.
    """

    def __init__(self, opened: OpenTarget, model: Model, detect: Sequence[str] = ()) -> None:
        self._discipline: LockDiscipline | None = None
        self._locksets = make_detectors(detect, model)
        if model != "eventlet":
            if opened.policy is not None:
                self._discipline = LockDiscipline(opened.policy)
            elif not detect:
                self._locksets = make_detectors(["lockset"], model)

    @property
    def watchers(self) -> tuple[Watcher, ...]:
        """For the setting in which the target's programs run."""
        return (*([] if self._discipline is None else [self._discipline]), *self._locksets)

    def conclude(self, result: Result, release: str) -> None:
        """Complete the warnings by what all executions showed, and add the tables.
        ``release``: target and release, for the heading."""
        if self._discipline is not None:
            result.failures = [_completed(finding, self._discipline) for finding in result.failures]
            result.discipline = discipline_table(self._discipline, release)
        for detector in self._locksets:
            result.locksets = detector.report()


def _completed(finding: Finding, discipline: LockDiscipline) -> Finding:
    """A warning with the place where the lock is held, if any execution showed one."""
    if finding.kind != LOCK_DISCIPLINE or len(finding.places) > 1:
        return finding
    use = discipline.other_side(finding.detail[0])
    if use is None:
        return finding
    message = f"{finding.detail[0]}; {discipline.describe(use)}"
    return replace(finding, message=message, places=(*finding.places, SITES[use.site].place()))
