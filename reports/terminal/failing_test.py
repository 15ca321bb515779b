"""Messages of failing tests: the finding as on the terminal, not a traceback of ours."""

from __future__ import annotations

from collections.abc import Sequence

from semafuzz.harness.kernel.outcome import Failure
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.schema import Trace
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.reports.run_view.standard_library import is_of_standard_library
from semafuzz.reports.terminal.plain_text import plain, width_here, wrapped
from semafuzz.reports.terminal.told import ToldRun


def line(text: str, limit: int = 200) -> str:
    """The first line of ``text``, fit for a terminal."""
    return plain(text.splitlines()[0] if text else "", limit)


INDENT = 4


def width() -> int:
    """How wide the lines of an interleaving may be."""
    return max(40, width_here() - INDENT)


def found(finding: Finding, told: ToldRun, result: Result, command: str) -> str:
    """The report of a finding. ``told``: its run, where that was made again."""
    times = f"{finding.preemptions} preemption" + ("" if finding.preemptions == 1 else "s")
    head = [
        *_message(finding.kind, finding.message, finding.task),
        f"in schedule {finding.schedule:,} (scheduler {result.scheduler}, seed {result.seed}); minimised: {times}",
    ]
    if finding.severity != "error":
        head.append(f"severity: {finding.severity}")
    if not finding.confirmed:
        head.append("it did not repeat when its schedule was run again: something else differs between two runs")
    head += [f"needs: {plain(needed)}" for needed in finding.time_outs]
    head += [f"note: {plain(note)}" for note in result.notes]
    return _report(head, finding.places, told, command)


def replayed(trace: Trace, failure: Failure, told: ToldRun, command: str) -> str:
    """The report of a kept trace whose failure is still there."""
    places = trace.expected.places or [SITES[site].place() for site in failure.sites]
    name, same = trace.expected.signature, failure_identity(failure) == trace.expected.identity
    words = f"kept trace {name} still shows it" if same else f"kept trace {name} shows this instead of its own failure"
    head = [*_message(failure.kind, failure.message, failure.task), words]
    return _report(head, places, told, command)


def uncontrolled(test: str, notes: Sequence[str]) -> str:
    """Nothing can be said of the test, and why."""
    return "\n".join(["uncontrolled: nothing can be said of " + test, *(plain(note, 2000) for note in notes)])


def _message(kind: str, message: str, task: str) -> list[str]:
    lines = [plain(text, 300) for text in message.splitlines()] or [""]
    # Who takes part in a deadlock stands in its message.
    where = f" (in {plain(task, 100)})" if task and kind != "deadlock" else ""
    return [f"{kind}: {lines[0]}{where}", *lines[1:20]]


def _report(head: list[str], places: Sequence[str], told: ToldRun, command: str) -> str:
    own = [place for place in places if not is_of_standard_library(place)] or places
    lines = [*head, "", "places:", *(f"    {plain(place, 160)}" for place in dict.fromkeys(own))]
    if told.sentence:
        lines += ["what happened:", *(f"    {line}" for line in wrapped(plain(told.sentence, 1000), width()))]
    if told.gil:
        # The option of pytest has a name of its own.
        gil = told.gil.replace("--model gil", "--interleave-model gil")
        lines += ["where:", *(f"    {line}" for line in wrapped(plain(gil, 1000), width()))]
    if told.lines:
        lines += ["interleaving:", *(f"{'':{INDENT}}{plain(step, 500)}".rstrip() for step in told.lines)]
    if command:
        lines += ["replay:", f"    {command}"]
    return "\n".join(lines)
