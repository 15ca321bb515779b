"""Results for a person at a terminal: progress while waiting, one table at the end."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from semafuzz.harness.runs.program_output import own_errors
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.reports.terminal.progress import Figures
from semafuzz.reports.terminal.sections import section_lines

MOST_CALLS = 12
"""Lines of what calls came to, in the run and in serial orders."""
MOST_ROWS = 10
"""Findings that a terminal shows."""
_VERDICTS = {
    "found": "found",
    "complete": "complete: every schedule was covered and nothing was found",
    "cut": "cut: the search ended before every schedule was covered; nothing was found so far, which proves nothing",
    "uncontrolled": "uncontrolled: something escaped the scheduler, so nothing can be said",
}


def plain(text: str, limit: int = 500) -> str:
    """``text`` without control characters, cut to ``limit``: what comes from a
    target must not be able to steer a terminal."""
    kept = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.replace("\n", " "))
    return kept if len(kept) <= limit else kept[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def console() -> Console:
    """The console for results: as wide as the terminal, or wide enough for a log."""
    made = Console(highlight=False, soft_wrap=False, emoji=False)
    if not made.is_terminal:
        made = Console(highlight=False, width=160, emoji=False)
    return made


@contextmanager
def progress_line(*, enabled: bool = True) -> Iterator[Callable[[Exploration], None] | None]:
    """A line on standard error that says how far the search is.

    On a terminal it is rewritten twice a second; elsewhere a line is written
    every 20 seconds, so that a log shows life and no more.
    """
    if not enabled:
        yield None
        return
    reporter = Progress()
    try:
        yield reporter.look
    finally:
        reporter.clear()


class Progress:
    """Writes progress to standard error; also used by searches of many programs."""

    def __init__(self) -> None:
        self._terminal = own_errors().isatty()
        self._every = 0.5 if self._terminal else 20.0
        self._next = perf_counter() + self._every
        self._shown = False

    def look(self, search: Exploration) -> None:
        """Called after every execution of one exploration."""
        result = search.result
        self.say(result.schedules, result.seconds, len(result.failures))

    def tell(self, figures: Figures, seconds: float) -> None:
        """How far a search of many programs is."""
        self.say(figures.schedules, seconds, figures.findings, figures.words())

    def say(self, schedules: int, seconds: float, findings: int, more: str = "") -> None:
        """Show the figures, where it is time to."""
        now = perf_counter()
        if now < self._next:
            return
        self._next = now + self._every
        rate = schedules / seconds if seconds else 0.0
        line = f"{schedules:,} schedules, {rate:,.0f} a second, {findings} distinct findings{more}"
        if self._terminal:
            own_errors().write(f"\r\x1b[K{plain(line, 160)}")
            self._shown = True
        else:
            own_errors().write(f"{line}\n")
        own_errors().flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            own_errors().write("\r\x1b[K")
            own_errors().flush()
            self._shown = False


def print_result(result: Result, *, program: str = "") -> None:
    """The verdict of one exploration, and what it found."""
    out = console()
    if result.failures:
        print_findings(result.failures, out, program=program)
    else:
        out.print(escape(f"{plain(result.program)}: {_VERDICTS[result.verdict]}"))
    for section in result.sections:
        # Past the console: a section has its own width.
        around = [""] if section.columns else []
        print(*around, *(plain(line) for line in section_lines(section)), *around, sep="\n")
    for finding in result.unconfirmed:
        print(
            f"not confirmed: {plain(finding.kind)}: {plain(finding.message, 300)} in schedule {finding.schedule}; in a "
            f"fresh process {plain(finding.not_confirmed, 300)}"
        )
    for note in result.notes:
        out.print(escape(f"note: {plain(note)}"))
    if result.watched:
        print(f"watched: {plain(', '.join(result.watched), 1000)}")
    for limit in result.limits:
        print(f"not seen: {plain(limit, 1000)}")
    rate = result.schedules / result.seconds if result.seconds else 0.0
    programs = f" of {result.programs:,} programs" if result.programs else ""
    out.print(
        escape(
            f"{result.schedules:,} schedules{programs} ({result.classes:,} distinct orders) in {result.seconds:.1f} s, "
            f"{rate:,.0f} a second; scheduler {result.scheduler}, seed {result.seed}"
        )
    )


def script() -> str:
    """The command as it can be typed here: its name where that is found, or else
    the path of the one beside this Python."""
    beside = Path(sys.executable).with_name("semafuzz")
    if shutil.which("semafuzz") is None and beside.exists():
        return min(str(beside), os.path.relpath(beside), key=len)
    return "semafuzz"


def replay_command(trace: str, *, program: str = "", source: str = "") -> str:
    """The command that replays a trace, to copy."""
    options = (f" --program {program}" if program else "") + (f" --source {source}" if source else "")
    return plain(f"{script()} replay {trace}{options}", 4000)


def print_story(sentence: str, lines: Sequence[str]) -> None:
    """What happened in a failing run. Past the console: the lines have their own width."""
    if sentence:
        print("", plain(sentence, 1000), sep="\n")
    if lines:
        print("", *(plain(line, 500) for line in lines), sep="\n")


def _print_the_rest(findings: Sequence[Finding]) -> None:
    if not findings:
        return
    counts = Counter(one.severity for one in findings)
    kinds = ", ".join(f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in counts.items())
    folder = next((str(Path(one.trace).parent) for one in findings if one.trace), "")
    print(f"and {len(findings)} more ({kinds}): {plain(f'{script()} report {folder}', 4000)}")


def print_findings(findings: Sequence[Finding], out: Console, *, program: str = "") -> None:
    """One table of the first ones, and below it the commands to copy."""
    shown = findings[:MOST_ROWS]
    table = Table(show_lines=True, expand=False)
    for name in ("finding", "severity", "what", "operations", "places"):
        table.add_column(name, overflow="fold")
    for finding in shown:
        words = finding.kind + (" (sequential: no concurrency needed)" if finding.sequential else "")
        words += f" (known as {plain(finding.known, 80)})" if finding.known else ""
        table.add_row(
            finding.signature,
            finding.severity,
            escape(f"{words}: {plain(finding.message, 300)}"),
            escape(plain(", ".join(finding.operations) or finding.task or "-")),
            escape("\n".join(plain(place, 160) for place in finding.places) or "-"),
        )
    out.print(table)
    _print_the_rest(findings[MOST_ROWS:])
    if shown:
        print_story(shown[0].sentence, shown[0].interleaving)
        if shown[0].kind == "atomicity":
            print("", *(plain(line, 300) for line in shown[0].detail[:MOST_CALLS]), sep="\n")
        if shown[0].interleaving or shown[0].kind == "atomicity":
            print()
    for finding in shown:
        note = "" if finding.confirmed else "  (did not repeat when run again: see docs, determinism)"
        if finding.trace:
            # Past the console: a command to copy must not be wrapped.
            print(replay_command(finding.trace, program=program) + note)
        for line in finding.time_outs:
            print(f"  needs: {plain(line)}")
        if finding.warm:
            print("  it shows once the program has run in the same process; the trace says so")
        if finding.output:
            print("  what the program printed in this run:")
            print(*(f"  | {plain(line, 300)}" for line in finding.output.splitlines()[-20:]), sep="\n")
