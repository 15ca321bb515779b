"""Results for machines."""

from __future__ import annotations

import msgspec

from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result


def result_json(result: Result) -> str:
    """One line of JSON: what was explored, what was found, what it proves."""

    def of(finding: Finding) -> dict[str, object]:
        return {
            "kind": finding.kind,
            "message": finding.message,
            "signature": finding.signature,
            "trace": finding.trace,
            "severity": finding.severity,
            "places": list(finding.places),
            "operations": list(finding.operations),
            "schedule": finding.schedule,
            "preemptions": finding.preemptions,
            "confirmed": finding.confirmed,
            "sequential": finding.sequential,
            "verified": finding.verified,
            "time_outs": list(finding.time_outs),
            "warm": finding.warm,
            "output": finding.output,
            "seconds": round(finding.seconds, 2),
            "cpu_seconds": round(finding.cpu_seconds, 2),
            "known": finding.known,
            "sentence": finding.sentence,
            "assertion": finding.assertion,
            "gil": finding.gil,
            "interleaving": list(finding.interleaving),
        }

    answer: dict[str, object] = {
        "program": result.program,
        "scheduler": result.scheduler,
        "seed": result.seed,
        "schedules": result.schedules,
        "first_failure": result.first_failure,
        "failures": [of(finding) for finding in result.failures],
        "verdict": result.verdict,
        "exhausted": result.exhausted,
        "classes": result.classes,
        "seconds": round(result.seconds, 6),
        "notes": result.notes,
        "watched": result.watched,
        "not_watched": result.not_watched,
        "limits": result.limits,
    }
    if result.fruitless:
        answer["fruitless"] = result.fruitless
    if result.unconfirmed:
        answer["not_confirmed"] = [{**of(finding), "why": finding.not_confirmed} for finding in result.unconfirmed]
    if result.interrupted:
        answer["interrupted"] = True
    if result.programs:
        answer["programs"] = result.programs
    for section in result.sections:
        answer[section.name] = [row.data for row in section.rows]
        answer[f"{section.name}_executions"] = section.executions
    return msgspec.json.encode(answer).decode()
