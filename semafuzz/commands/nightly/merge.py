"""Merge of what the searches of a night found into the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path

import msgspec

from semafuzz.campaign.corpus import Corpus, Known
from semafuzz.campaign.night import CampaignState
from semafuzz.campaign.plan import Plan
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.traces.codec import read
from semafuzz.strategies.fuzz.dedup_across_runs import deduplicate
from semafuzz.targets.model.scenario import describe, scenario_of


def merge(corpus: Corpus, night: CampaignState, plan: Plan) -> None:
    """Take the findings of all searches in: what is not known, once; of what is, the smaller
    trace. One that was gone and is met has returned. Done again it changes nothing."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for shard in plan.shards:
        ended = night.ended(shard)
        for finding in night.findings(ended) if ended is not None else ():
            if finding.confirmed:
                release = read(Path(finding.trace)).release
                found.setdefault((shard.target, release), []).append(finding)
    for (target, release), findings in found.items():
        _take(corpus, plan, target, release, findings)


def _take(corpus: Corpus, plan: Plan, target: str, release: str, findings: Sequence[Finding]) -> None:
    known = {one.name: one for one in corpus.all() if (one.target, one.release) == (target, release)}
    # What is gone explains nothing: what looks like it may be what was left of it.
    kept = [_as_finding(corpus, one) for one in known.values() if one.state == "kept"]
    records = {finding.trace: _record(plan, target, release, finding) for finding in findings}
    for finding in deduplicate(findings, kept, alike=inf):
        record = records[finding.trace]
        if record.name not in known:
            known[record.name] = record
            corpus.add(record, Path(finding.trace))
    for trace, record in records.items():
        before = known.get(record.name)
        if before is not None:
            _meet(corpus, plan.night, before, record, Path(trace))


def _meet(corpus: Corpus, night: str, before: Known, now: Known, trace: Path) -> None:
    """A finding that is known was met."""
    if before.severity != "error" and now.severity == "error":
        corpus.add(msgspec.structs.replace(now, since=before.since), trace)
    elif before.state == "gone":
        # Gone in this very night: the old trace fits no more, and that is all.
        changed = "" if before.changed == night else night
        corpus.add(msgspec.structs.replace(now, found=before.found, since=before.since, changed=changed), trace)
    elif _size(trace) < _size(corpus.trace_of(before)):
        corpus.add(msgspec.structs.replace(now, found=before.found, since=before.since, changed=before.changed), trace)
    elif now.cause and not before.cause:
        corpus.note(msgspec.structs.replace(before, cause=now.cause))


def _record(plan: Plan, target: str, release: str, finding: Finding) -> Known:
    program = describe(scenario_of(read(Path(finding.trace))))
    operations = tuple(one[:500] for one in finding.operations[:256])
    return Known(
        target, release, finding.signature, finding.kind, finding.severity, finding.message[:2000], program[:2000],
        operations, plan.night, since=plan.date, cause=cause_of(finding),
    )  # fmt: skip


def cause_of(finding: Finding) -> str:
    """What two programs of one defect have in common: how they fail, and its name in the catalogue, or else the two
    places that race. "" where no race is known to be needed: then every program is taken for a defect of its own."""
    identity = read(Path(finding.trace)).expected.identity
    if finding.known:
        return "; ".join((f"known as {finding.known}", *identity))[:2000]
    if finding.sequential or len(finding.pair) < 2:
        return ""
    return "; ".join((*identity, *finding.pair))[:2000]


def _as_finding(corpus: Corpus, known: Known) -> Finding:
    return Finding(
        known.kind, known.message, known.signature, str(corpus.trace_of(known)), (), "", 0, 0, 0, True, known.severity,
        known.operations,
    )  # fmt: skip


def _size(path: Path) -> tuple[int, int]:
    trace = read(path)
    return sum(map(len, scenario_of(trace).content.tasks)), trace.expected.events
