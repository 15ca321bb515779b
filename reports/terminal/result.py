"""Results for a person at a terminal: progress while waiting, one table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from semafuzz.harness.errors import documentation
from semafuzz.harness.runs.program_output import own_errors
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.result import Result
from semafuzz.reports.terminal.findings import print_findings
from semafuzz.reports.terminal.plain_text import plain, wrapped
from semafuzz.reports.terminal.progress import Figures
from semafuzz.reports.terminal.sections import section_lines

_VERDICTS = {
    "found": "found",
    "complete": "complete: every schedule was covered and nothing was found",
    "cut": "cut: the search ended before every schedule was covered; nothing was found so far, which proves nothing",
    "uncontrolled": "uncontrolled: something escaped the scheduler, so nothing can be said",
}


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
        if perf_counter() >= self._next:
            rate = schedules / seconds if seconds else 0.0
            self.line(f"{schedules:,} schedules, {rate:,.0f} a second, {findings} distinct findings{more}")

    def line(self, line: str) -> None:
        """Show a line in the place of the last one, where it is time to."""
        now = perf_counter()
        if now < self._next:
            return
        self._next = now + self._every
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
    if result.failures:
        print_findings(result.failures, program=program)
    else:
        print(*wrapped(f"{plain(result.program)}: {_VERDICTS[result.verdict]}"), sep="\n")
        if result.verdict == "complete":
            print(f"what that covers: {documentation('limits')}")
        if result.fruitless:
            print(f"no new order in the last {result.fruitless:,} schedules; --seconds S searches on for so long")
    for section in result.sections:
        if not section.asked:
            if section.rows and result.verdict == "cut":
                told = "them" if len(section.rows) > 1 else "it"
                print(f"{section.name}: {_count(len(section.rows), 'note')}; --detect {section.name} shows {told}")
            continue
        # Past the console: a section has its own width.
        around = [""] if section.columns else []
        print(*around, *(plain(line) for line in section_lines(section)), *around, sep="\n")
    for finding in result.unconfirmed:
        print(
            f"not confirmed: {plain(finding.kind)}: {plain(finding.message, 300)} in schedule {finding.schedule}; in a "
            f"fresh process {plain(finding.not_confirmed, 300)}"
        )
    for note in result.notes:
        print(*wrapped(f"note: {plain(note)}"), sep="\n")
    if result.watched:
        print(f"watched: {plain(', '.join(result.watched), 1000)}")
    for limit in result.limits:
        print(f"not seen: {plain(limit, 1000)}")
    rate = result.schedules / result.seconds if result.seconds else 0.0
    programs = f" of {result.programs:,} programs" if result.programs else ""
    orders = _count(result.classes, "distinct order")
    print(
        f"{_count(result.schedules, 'schedule')}{programs} ({orders}) in {result.seconds:.1f} s, {rate:,.0f} a second; "
        f"scheduler {plain(result.scheduler)}, seed {result.seed}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
