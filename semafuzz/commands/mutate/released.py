"""``semafuzz mutate nova``: the mutants of a target's audited class, and the score."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from semafuzz.commands.mutate.unlocked import Unlocked, judge_all, judge_here, locked_methods
from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.search.result import Result
from semafuzz.harness.sections.section import Row, Section
from semafuzz.reports.formats.json_result import result_json
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.result import Progress
from semafuzz.reports.terminal.sections import section_lines
from semafuzz.reports.terminal.waiting import waiting
from semafuzz.targets import find_target


def run_released(name: str, release: str, only: str, seconds: float, seed: int, jobs: int, as_json: bool) -> int:
    """Judge the mutants of a target, or ``only`` one, and print the score; the exit code."""
    target = find_target(name)
    methods = locked_methods(target, release, only)
    if only:
        with waiting(f"{methods[0]} without its lock is searched"):
            fates = [judge_here(target, release, methods[0], seconds, seed)]
    else:
        fates = _judge_all(name, release, methods, seconds, seed, jobs)
    section = unlocked_section(fates, f"{name} {release}".strip())
    if as_json:
        schedules = sum(one.schedules for one in fates)
        result = Result(name, "portfolio", seed, schedules=schedules, sections=[section])
        sys.stdout.write(result_json(result) + "\n")
    else:
        print(*(plain(line) for line in section_lines(section)), sep="\n")
    died = [one for one in fates if one.died]
    if died:
        raise CannotJudge(f"{len(died)} of {len(fates)} mutants were not searched; {died[0].method} {died[0].trouble}")
    return 1 if any(one.fate == "survives" for one in fates) else 0


def _judge_all(name: str, release: str, methods: Sequence[str], seconds: float, seed: int, jobs: int) -> list[Unlocked]:
    progress = Progress()

    def told(done: Sequence[Unlocked]) -> None:
        killed = sum(bool(one.killed) for one in done)
        runs = sum(one.schedules for one in done)
        progress.line(f"{len(done)} of {len(methods)} mutants, {killed} killed, {runs:,} schedules")

    try:
        return judge_all(name, release, methods, seconds, seed, jobs, told)
    finally:
        progress.clear()


def unlocked_section(fates: Sequence[Unlocked], subject: str) -> Section:
    """The score, and a row for each mutant: those that were not searched and that survive first."""
    order = ("not searched", "survives", "argued harmless", "killed")
    killed, harmless = (sum(one.fate == fate for one in fates) for fate in ("killed", "argued harmless"))
    argued = f", {harmless} argued harmless" if harmless else ""
    return Section(
        "mutants",
        f"Mutants of {subject}: {killed} of {len(fates)} killed by an error{argued}",
        sum(one.schedules for one in fates),
        tuple(_row(one) for one in sorted(fates, key=lambda fate: order.index(fate.fate))),
        ("mutant", "fate", "schedules"),
    )


def _row(one: Unlocked) -> Row:
    tried = (
        f"{one.programs} programs of {', '.join(one.operations)} beside another operation, of which {one.meeting} meet "
        f"in the method and {one.searched} were searched further, {one.seconds:.0f} s"
    )
    return Row(
        (f"lock is gone in {one.method}", one.fate, one.schedules),
        "warning" if one.fate in ("survives", "not searched") else None,
        (one.killed or one.harmless or one.trouble or f"no error of its own in {tried}",),
        {
            "method": one.method,
            "operations": list(one.operations),
            "fate": one.fate,
            "killed": one.killed,
            "harmless": one.harmless,
            "trouble": one.trouble,
            "programs": one.programs,
            "meeting": one.meeting,
            "searched": one.searched,
            "schedules": one.schedules,
            "seconds": round(one.seconds, 1),
        },
    )
