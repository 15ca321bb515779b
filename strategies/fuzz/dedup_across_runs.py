"""Deduplication across runs: of searches that knew nothing of each other, or of a search and
what was known before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semafuzz.harness.search.finding import Finding
from semafuzz.harness.traces.codec import read
from semafuzz.strategies.fuzz.dedup import ALIKE, Dedup
from semafuzz.targets.model.scenario import faults_of, parts_of, scenario_of


def deduplicate(failures: Sequence[Finding], known: Sequence[Finding] = (), *, alike: float = ALIKE) -> list[Finding]:
    """What one search would have kept of all these, had it met them by the size of their
    programs, errors first, together with what is ``known``. What is known explains only what
    comes after it in that order, so that a finding which was forgotten is met again.
    ``alike``: how many of one kind between the same operations; what is worked out already
    costs nothing, so whoever asks again and again sets no limit."""
    novelty = Dedup(alike=alike)
    found_and_new = [(_Found.of(one), is_new) for is_new, some in ((False, known), (True, failures)) for one in some]
    kept = []
    for found, is_new in sorted(found_and_new, key=lambda one: (one[0].rank(), one[0].finding.signature, one[1])):
        what = found.identity, found.finding, found.program, found.faults
        if not is_new:
            novelty.seen_before(*what)
            novelty.learn(found.identity, found.finding, found.program)
        elif not novelty.seen_before(*what) and novelty.worth_shrinking(*what):
            novelty.learn(found.identity, found.finding, found.program)
            kept.append(found.finding)
    return kept


@dataclass(frozen=True, slots=True)
class _Found:
    """A finding with what its trace says: how it fails, and the parts of its program."""

    finding: Finding
    identity: tuple[str, ...]
    program: Sequence[str]
    faults: Sequence[str] = ()

    @staticmethod
    def of(finding: Finding) -> _Found:
        if not finding.trace:
            return _Found(finding, (finding.kind, finding.signature), finding.operations)
        trace = read(Path(finding.trace))
        scenario = scenario_of(trace)
        return _Found(finding, trace.expected.identity, parts_of(scenario), faults_of(scenario))

    def rank(self) -> tuple[bool, int, int]:
        """Warnings last; then the smaller program; then what breaks more."""
        return self.finding.severity != "error", len(self.program), -len(self.identity[1])
