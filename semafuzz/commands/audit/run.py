"""``semafuzz audit``: from the source alone, beside another version, beside what a run has shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from semafuzz.commands.common.json_command import json_of
from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.harness.audit.class_audit import audit_class
from semafuzz.harness.audit.facts import ClassAudit
from semafuzz.harness.audit.section import audit_section
from semafuzz.harness.audit.sources import ClassSource, Sources
from semafuzz.harness.errors import CannotJudge, CodeError, UsageError
from semafuzz.harness.runs.function_file import split
from semafuzz.harness.runs.import_folders import import_root
from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.section import Section
from semafuzz.reports.formats.json_result import result_json
from semafuzz.reports.summaries import Summary, keep_summary
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.sections import section_lines
from semafuzz.targets import find_target
from semafuzz.targets.declared.loading import is_spec
from semafuzz.targets.model.protocol import Audited


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What to audit, against what, and beside which exploration."""

    target: str
    lock: str
    apart: tuple[str, ...]
    release: str
    source: Path | None
    against: str
    explore: float | None
    out: Path | None
    as_json: bool


def run_audit(asked: AuditOptions) -> int:
    """Audit, and print what was found; the exit code."""
    seen = _seen(asked) if asked.explore is not None else None
    section = _section(asked, seen)
    result = Result(asked.target, "none", 0, sections=[section])
    changed = _difference(asked, section) if asked.against else []
    result.notes += changed
    if asked.out is not None:
        keep_summary(Summary("audit", asked.target, asked.release, "threads", result), usable_folder(asked.out))
    if asked.as_json:
        sys.stdout.write(result_json(result) + "\n")
    else:
        print(*(plain(line) for line in section_lines(section)), sep="\n")
        print(*(plain(line) for line in changed), sep="\n", end="\n" if changed else "")
    if asked.against:
        return 1 if len(changed) > 1 else 0
    return 1 if section.severity in ("error", "warning") else 0


def _section(asked: AuditOptions, seen: Mapping[str, str] | None) -> Section:
    subject = " ".join(filter(None, (asked.target, asked.release or str(asked.source or ""))))
    return audit_section(_audited(asked), subject, seen)


def _audited(asked: AuditOptions) -> ClassAudit:
    if is_spec(asked.target):
        sources, kind = _class_of_file(asked.target)
        return audit_class(sources, kind, asked.lock, asked.apart)
    target = find_target(asked.target)
    if not isinstance(target, Audited):
        raise UsageError(f"the target {asked.target} names no class to audit; give FILE.py:CLASS")
    known = target.audited
    sources = Sources((target.sources_of(asked.release, asked.source),))
    module = sources.module(known.module)
    found = module.classes.get(known.name) if module is not None else None
    if found is None:
        raise CannotJudge(f"{known.module} has no class {known.name}")
    return audit_class(sources, found, asked.lock or known.lock, (*known.apart, *asked.apart))


def _class_of_file(spec: str) -> tuple[Sources, ClassSource]:
    path, name = split(spec)
    root = import_root(path)
    sources = Sources((root, *(Path(one) for one in sys.path if one)))
    parts = path.resolve().relative_to(root).with_suffix("").parts
    module = sources.read(path, ".".join(parts if parts[-1] != "__init__" else parts[:-1]))
    found = module.classes.get(name)
    if found is None:
        known = ", ".join(list(module.classes)[:8]) or "no class"
        raise CodeError(f"{path} has no class {name!r}; it has {known}")
    return sources, found


def _seen(asked: AuditOptions) -> dict[str, str]:
    """What an exploration of the target says of each method, in a process of its own."""
    if is_spec(asked.target):
        raise UsageError("--explore goes with targets that say which lock guards what, such as nova")
    code = ["--source", str(asked.source)] if asked.source is not None else []
    code += ["--release", asked.release] if asked.release else []
    answer = json_of(["fuzz", asked.target, *code, "--seconds", str(asked.explore)])
    return {str(row["method"]): str(row["status"]) for row in _rows(answer, "lock_discipline")}


def _difference(asked: AuditOptions, section: Section) -> list[str]:
    """What differs from another version, a line for each method, below a heading."""
    lock = ["--lock", asked.lock] if asked.lock else []
    lock += [part for name in asked.apart for part in ("--apart", name)]
    if is_spec(asked.target):
        _, name = split(asked.target)
        other = json_of(["audit", f"{asked.against}:{name}", *lock])
    else:
        other = json_of(["audit", asked.target, "--release", asked.against, *lock])
    before = {str(row["method"]): row for row in _rows(other, "audit")}
    now = {str(row.data["method"]): row.data for row in section.rows}
    lines = [f"against {asked.against}:"]
    for method in sorted({*before, *now}):
        if method not in before:
            lines.append(f"  {method}: new, {now[method]['verdict']}")
        elif method not in now:
            lines.append(f"  {method}: gone, was {before[method]['verdict']}")
        elif before[method]["verdict"] != now[method]["verdict"]:
            lines.append(f"  {method}: was {before[method]['verdict']}, is {now[method]['verdict']}")
        elif bool(before[method]["locks"]) != bool(now[method]["locks"]):
            how = "takes the lock now" if now[method]["locks"] else "does not take the lock any more"
            lines.append(f"  {method}: {how}")
    return lines


def _rows(answer: Mapping[str, object], name: str) -> list[dict[str, object]]:
    found = answer.get(name)
    return found if isinstance(found, list) else []
