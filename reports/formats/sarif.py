"""SARIF 2.1.0 (OASIS standard), for code scanning and editors.

One result for each finding. Its code flow has a thread flow for each task, and
``executionOrder`` tells how they interleave. Only what matters to several tasks goes in:
readers cut a flow after a thousand steps.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from urllib.parse import quote

from semafuzz.harness.errors import documentation
from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.sections.section import Row, Section
from semafuzz.reports.formats.report import Report
from semafuzz.reports.run_view.places import Spot, spot_of, spots_of
from semafuzz.reports.run_view.printable import clean
from semafuzz.reports.run_view.schema import FindingView, Run, Step
from semafuzz.reports.run_view.sentence import sentence
from semafuzz.reports.run_view.sources import repository_file_of

STEPS = 1000
"""Of one flow."""
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
RULES = {
    "exception": "An exception that nothing catches under some schedule",
    "assertion": "An assertion that fails under some schedule",
    "deadlock": "Tasks that wait for each other",
    "livelock": "A loop that never ends under some schedule",
    "step-limit": "A run without end",
    "invariant": "An invariant of the target that is broken under some schedule",
    "atomicity": "Calls that come to what no serial order of them comes to",
    "lock-discipline": "State that is used without the lock that guards it",
    "audit": "A method that changes state and can be entered without the lock that guards it",
    "races": "Accesses that nothing orders, in executions that failed",
    "lock-order": "Locks that are taken in two orders, which deadlocked",
    "lock-use": "A lock or condition that is used in a way that did harm",
}


def sarif_log(report: Report) -> str:
    """The log, as text. What detectors warn of is a result at its place; the rest of what they have to say of the
    whole search are notifications of its invocation."""
    findings = report.findings
    warned = [(section.name, row) for section in report.sections for row in section.rows if _is_result(row)]
    kinds = sorted({picture.kind for picture, _ in findings} | {name for name, _ in warned})
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "semafuzz",
                        "version": importlib.metadata.version("semafuzz"),
                        "informationUri": documentation("index"),
                        "rules": [_rule(kind) for kind in kinds],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(report.sections)],
                "results": [_result(picture, severity, kinds) for picture, severity in findings]
                + [_warning(name, row, kinds) for name, row in warned],
            }
        ],
    }
    return json.dumps(clean(log), indent=1, ensure_ascii=False) + "\n"


def _rule(kind: str) -> dict[str, object]:
    text = RULES.get(kind, kind)
    return {
        "id": kind,
        "shortDescription": {"text": text},
        "helpUri": documentation("reading"),
        "help": {
            "text": f"{text}. The code flow tells the run that fails, step by step; `semafuzz replay` makes it again. "
            f"See {documentation('reading')}.",
        },
    }


def _invocation(sections: Sequence[Section]) -> dict[str, object]:
    notifications = [
        {
            "level": row.severity,
            "descriptor": {"id": section.name},
            "message": {"text": _text_of(row)},
        }
        for section in sections
        for row in section.rows
        if row.severity is not None and not _is_result(row)
    ]
    return {"executionSuccessful": True, "toolExecutionNotifications": notifications}


def _is_result(row: Row) -> bool:
    return row.severity in ("error", "warning") and any(place.line for place in row.places)


def _text_of(row: Row) -> str:
    return ": ".join([" ".join(map(str, row.cells)), *row.details])


def _warning(name: str, row: Row, kinds: Sequence[str]) -> dict[str, object]:
    """What a detector warns of."""
    spots = [Spot(repository_file_of(place), place.line, place.function) for place in row.places if place.line]
    return {
        "ruleId": name,
        "ruleIndex": kinds.index(name),
        "level": row.severity,
        "message": {"text": _text_of(row)},
        **_locations(spots),
    }


def _locations(spots: Sequence[Spot]) -> dict[str, object]:
    """Where it is, and what belongs to it."""
    found: dict[str, object] = {"locations": [_location(spots[0])]} if spots else {}
    if len(spots) > 1:
        found["relatedLocations"] = [{"id": number, **_location(spot)} for number, spot in enumerate(spots[1:], 1)]
    return found


def _result(picture: FindingView, severity: Severity, kinds: Sequence[str]) -> dict[str, object]:
    spots = spots_of(picture)
    result: dict[str, object] = {
        "ruleId": picture.kind,
        "ruleIndex": kinds.index(picture.kind),
        "level": severity if severity in ("error", "warning", "note") else "error",
        "message": {"text": sentence(picture)},
        "partialFingerprints": {"semafuzzSignature/v1": picture.signature},
        **_locations(spots),
    }
    if picture.run is not None:
        flows = _flows(picture, picture.run)
        if flows:
            result["codeFlows"] = [{"message": {"text": "The run that fails"}, "threadFlows": flows}]
    return result


def _location(spot: Spot) -> dict[str, object]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(spot.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": spot.line},
        },
        "logicalLocations": [{"fullyQualifiedName": spot.function or "?"}],
    }


def _flows(picture: FindingView, run: Run) -> list[dict[str, object]]:
    shown = [step for step in run.steps if step.place >= 0 and (step.shared or step.number in run.pair)]
    flows: list[dict[str, object]] = []
    for lane in run.lanes:
        mine = [found for step in shown[:STEPS] if step.task == lane.number and (found := _step(picture, run, step))]
        if mine:
            flows.append({"id": f"{lane.number} {lane.name}", "locations": mine})
    return flows


def _step(picture: FindingView, run: Run, step: Step) -> dict[str, object] | None:
    spot = spot_of(picture, run.texts[step.place])
    if spot is None:
        return None
    what = f"{step.kind} {run.texts[step.what] if step.what >= 0 else ''}".strip()
    value = run.texts[step.after] if step.after >= 0 else run.texts[step.before] if step.before >= 0 else ""
    text = f"{what} = {value}" if value else what
    return {
        "location": {**_location(spot), "message": {"text": text}},
        "executionOrder": step.number + 1,
        "importance": "essential" if step.number in run.pair else "important",
    }
