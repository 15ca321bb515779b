"""The audit as a section, beside what an exploration has seen where there was one."""

from __future__ import annotations

from collections.abc import Mapping

from semafuzz.harness.audit.facts import ClassAudit, MethodAudit
from semafuzz.harness.kernel.outcome import Severity
from semafuzz.harness.kernel.sites import Site
from semafuzz.harness.sections.section import Row, Section

SECTION = "audit"
_MOST = 6
"""Unguarded changes of a method that are shown."""
CONTRADICTION = "proven guarded, seen unguarded"


def audit_section(audit: ClassAudit, subject: str, seen: Mapping[str, str] | None = None) -> Section:
    """``subject``: what was audited. ``seen``: by method, what an exploration says of it (the words of
    :mod:`semafuzz.harness.detectors.discipline.table`)."""
    rows = [_row(one, audit, seen) for one in audit.methods.values() if one.verdict != "constructor"]
    # What others call comes first.
    rows.sort(key=lambda row: (row.severity is None, row.severity != "error", str(row.cells[0]).startswith("_")))
    how = "inferred: --lock names another one" if audit.inferred else "as named"
    columns = ("method", "verdict", "lock taken by", *(("as seen",) if seen is not None else ()))
    counts = [sum(one.verdict == verdict for one in audit.methods.values()) for verdict in _COUNTED]
    told = ", ".join(f"{count} {verdict}" for count, verdict in zip(counts, _COUNTED, strict=True))
    return Section(
        SECTION,
        f"Lock audit of {subject}",
        0,
        tuple(rows),
        columns,
        (f"guarded by {audit.lock} ({how}), from the source alone: {told}",),
    )


_COUNTED = ("possibly unguarded", "proven guarded", "only reads")


def verdict_of(method: MethodAudit, seen: Mapping[str, str] | None) -> str:
    """The verdict in words: what was seen is stronger than what may be."""
    observed = (seen or {}).get(method.name, "")
    if observed == "seen unguarded":
        return CONTRADICTION if method.verdict != "possibly unguarded" else "observed unguarded"
    return method.verdict


def _row(method: MethodAudit, audit: ClassAudit, seen: Mapping[str, str] | None) -> Row:
    verdict = verdict_of(method, seen)
    severity: Severity | None = None
    if verdict in ("observed unguarded", CONTRADICTION):
        severity = "error"
    elif verdict == "possibly unguarded":
        severity = "warning"
    locks = method.locks[0] if method.locks else "not at all"
    if len(method.locks) > 1:
        locks += f" and {len(method.locks) - 1} more"
    details: list[str] = []
    for change, way in method.unguarded[:_MOST]:
        how = "" if change.certain else ", of which nothing is known"
        details.append(f"{change.place} {change.what}{how}")
        details += [f"  through {step}" for step in way]
    if len(method.unguarded) > _MOST:
        details.append(f"and {len(method.unguarded) - _MOST} more: --json shows all")
    if method.unguarded:
        details += [f"entered without it: {one}" for one in method.entered[:_MOST]]
    cells: tuple[str | int, ...] = (method.name, verdict, locks)
    if seen is not None:
        cells = (*cells, seen.get(method.name, ""))
    found = [(change.place, f"{audit.name}.{method.name}") for change, _ in method.unguarded]
    places = tuple(Site(place.module, audit.files.get(place.module, ""), name, place.line) for place, name in found)
    return Row(cells, severity, tuple(details), _data(method, verdict), places)


def _data(method: MethodAudit, verdict: str) -> dict[str, object]:
    return {
        "method": method.name,
        "verdict": verdict,
        "place": str(method.place),
        "locks": list(method.locks),
        "changes": len(method.changes),
        "unguarded": [
            {"place": str(change.place), "what": change.what, "certain": change.certain, "through": list(way)}
            for change, way in method.unguarded
        ],
        "entered": list(method.entered),
    }
