"""Findings on a terminal: what broke in one line each, what happened, and the commands to go on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semafuzz.harness.errors import documentation
from semafuzz.harness.search.finding import Finding
from semafuzz.reports.run_view.standard_library import is_of_standard_library
from semafuzz.reports.terminal.plain_text import console, plain, replay_command, script, wrapped

if TYPE_CHECKING:
    from rich.table import Table

MOST_CALLS = 12
"""Lines of what calls came to, in the run and in serial orders."""
MOST_ROWS = 10
"""Findings that a terminal shows."""


def print_story(sentence: str, lines: Sequence[str], gil: str = "") -> None:
    """What happened in a failing run. Past the console: the lines have their own width."""
    if sentence:
        print("", *wrapped(plain(sentence, 1000)), sep="\n")
    if lines:
        print("", *(plain(line, 500) for line in lines), sep="\n")
    if gil:
        print("", *wrapped(plain(gil, 500)), sep="\n")


def _print_the_rest(findings: Sequence[Finding]) -> None:
    if not findings:
        return
    counts = Counter(one.severity for one in findings)
    kinds = ", ".join(f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in counts.items())
    folder = next((str(Path(one.trace).parent) for one in findings if one.trace), "")
    print(f"and {len(findings)} more ({kinds}): {plain(f'{script()} report {folder}', 4000)}")


def print_findings(findings: Sequence[Finding], *, program: str = "") -> None:
    """The first ones, in a table where there are several, and below them the commands to copy."""
    shown = findings[:MOST_ROWS]
    if len(findings) == 1:
        _print_heading(findings[0])
    else:
        console().print(_table(shown))
    _print_the_rest(findings[MOST_ROWS:])
    _print_stories_and_commands(shown, program)


def _print_heading(finding: Finding) -> None:
    """What broke, and the places that conflict. Past the console: lines of text are not cut into columns."""
    print(*wrapped(f"{finding.severity} {finding.signature}: {_what(finding)}{_who(finding)}", indent="  "), sep="\n")
    own = [place for place in finding.places if not is_of_standard_library(place)] or finding.places
    if own:
        print(*wrapped(f"  places: {'; '.join(plain(place, 160) for place in own)}", indent="    "), sep="\n")


def _who(finding: Finding) -> str:
    if finding.kind == "deadlock" or not (finding.operations or finding.task):
        return ""
    return f" (in {plain(' | '.join(finding.operations) or finding.task, 200)})"


def _what(finding: Finding) -> str:
    """The kind and the message. Of a bare assertion its line is one; who waits for whom stands in the sentence."""
    words = finding.kind + (" (sequential: no concurrency needed)" if finding.sequential else "")
    words += f" (known as {plain(finding.known, 80)})" if finding.known else ""
    message = finding.assertion or finding.message
    if finding.kind == "deadlock" and finding.sentence:
        message = message.partition(": ")[0]
    return f"{words}: {plain(message, 300)}"


def _table(shown: Sequence[Finding]) -> Table:
    # Here, since one finding needs none.
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_lines=True, expand=False)
    for name in ("finding", "severity", "what", "operations", "places"):
        table.add_column(name, overflow="fold")
    for finding in shown:
        table.add_row(
            finding.signature,
            finding.severity,
            escape(_what(finding)),
            escape(plain(", ".join(finding.operations) or finding.task or "-")),
            escape("\n".join(plain(place, 160) for place in finding.places) or "-"),
        )
    return table


def _print_stories_and_commands(shown: Sequence[Finding], program: str) -> None:
    if shown:
        print_story(shown[0].sentence, shown[0].interleaving, shown[0].gil)
        if shown[0].kind == "atomicity":
            print("", *(plain(line, 300) for line in shown[0].detail[:MOST_CALLS]), sep="\n")
        if shown[0].interleaving or shown[0].kind == "atomicity":
            print()
    for finding in shown:
        note = "" if finding.confirmed else f"  (did not repeat when run again: see {documentation('determinism')})"
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
