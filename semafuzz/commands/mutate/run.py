"""``semafuzz mutate``: the mutants of a class one after the other, and the score."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from semafuzz.harness.audit.class_audit import locks_of
from semafuzz.harness.audit.sources import Sources
from semafuzz.harness.edits.mutants import mutants_of
from semafuzz.harness.errors import CodeError
from semafuzz.harness.runs.function_file import read_source, split
from semafuzz.harness.runs.import_folders import import_root
from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.section import Row, Section
from semafuzz.reports.formats.json_result import result_json
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.result import Progress
from semafuzz.reports.terminal.sections import section_lines
from semafuzz.strategies.mutation.kill import Fate, judge


def run_mutate(spec: str, lock: str, seconds: float, seed: int, as_json: bool) -> int:
    """Judge every mutant, and print the score; the exit code."""
    path, name = split(spec)
    source = read_source(path, "FILE.py:CLASS")
    sources = Sources((import_root(path), *(Path(one) for one in sys.path if one)))
    kind = sources.read(path, path.stem).classes.get(name)
    if kind is None:
        raise CodeError(f"{path} has no class {name!r}")
    locks, _, _ = locks_of(sources, kind, lock)
    fates: list[Fate] = []
    progress = None if as_json else Progress()
    for mutant in mutants_of(kind, locks):
        fates.append(judge(mutant, path, source, name, seconds, seed))
        if progress is not None:
            done = sum(bool(one.killed) for one in fates)
            progress.say(
                sum(one.schedules for one in fates), sum(one.seconds for one in fates), done, " (killed mutants)"
            )
    if progress is not None:
        progress.clear()
    if not fates:
        raise CodeError(f"{name} takes no lock that could be left out; say which one with --lock NAME")
    section = mutation_section(fates, spec)
    if as_json:
        result = Result(spec, "dpor", seed, schedules=sum(one.schedules for one in fates), sections=[section])
        sys.stdout.write(result_json(result) + "\n")
    else:
        print(*(plain(line) for line in section_lines(section)), sep="\n")
    return 1 if any(not one.killed for one in fates) else 0


def mutation_section(fates: Sequence[Fate], subject: str) -> Section:
    """The score, and a row for each mutant, those that survived first."""
    killed = sum(bool(one.killed) for one in fates)
    rows = [
        Row(
            (str(one.mutant), "killed" if one.killed else "survives", one.schedules),
            None if one.killed else "warning",
            (one.killed or one.why,),
            {
                "mutant": one.mutant.kind,
                "method": one.mutant.method,
                "line": one.mutant.line,
                "killed": one.killed,
                "why": one.why,
                "schedules": one.schedules,
                "seconds": round(one.seconds, 2),
            },
        )
        for one in sorted(fates, key=lambda fate: bool(fate.killed))
    ]
    return Section(
        "mutants",
        f"Mutants of {subject}: {killed} of {len(fates)} killed",
        sum(one.schedules for one in fates),
        tuple(rows),
        ("mutant", "fate", "schedules"),
    )
