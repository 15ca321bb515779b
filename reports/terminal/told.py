"""A failing run as a person reads it on a terminal: a sentence, and what the tasks did in order."""

from __future__ import annotations

from dataclasses import dataclass

from semafuzz.harness.kernel.outcome import SEES_ACCESSES, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.search.recorder import matching
from semafuzz.harness.traces.schema import Trace
from semafuzz.reports.run_view.build import record_run
from semafuzz.reports.run_view.facts import facts_sentence
from semafuzz.reports.run_view.gil_label import gil_label
from semafuzz.reports.run_view.readable import with_files, with_variables
from semafuzz.reports.run_view.sources import source_line
from semafuzz.reports.run_view.values import Values
from semafuzz.reports.terminal.columns import interleaving_lines

MOST_EVENTS = 20_000
"""Of longer runs nothing is told: one that never ends has no order that would explain it."""


@dataclass(frozen=True, slots=True)
class ToldRun:
    """``sentence``: "" where no pattern is known; ``lines``: laid out for a width; ``assertion``: that which failed,
    with what stood in it; "" for none, and where it says that itself; ``gil``: whether the schedule can happen on
    CPython with the GIL."""

    sentence: str = ""
    lines: tuple[str, ...] = ()
    assertion: str = ""
    gil: str = ""


NOTHING_TOLD = ToldRun()


def told_run(trace: Trace, outcome: Outcome, values: Values | None, width: int) -> ToldRun:
    """The failing run of a trace. ``values``: what each access found and left, where that was looked at;
    nothing is told where the run shows another failure."""
    if trace.model == "trio" or len(outcome.events) > MOST_EVENTS:
        return NOTHING_TOLD
    try:
        failure = matching(outcome, trace.expected.identity)
    except ValueError:
        return NOTHING_TOLD
    necessity = trace.necessity.preemptions if trace.necessity is not None else ()
    seen, assertions = (values.seen, values.assertions) if values is not None else ({}, {})
    run = record_run(outcome, seen, failure, necessity, assertions=assertions)
    numbers = {event[4] for event in outcome.events} | {task.pending[3] for task in outcome.tasks if not task.done}
    numbers |= {site for one in outcome.failures for site in one.sites} | {one[3] for one in outcome.unheard}
    on_behalf = {number for number, one in seen.items() if one.caller}
    numbers |= {seen[number].caller for number in on_behalf}
    run, places = with_files(run, numbers)
    sources = {places[SITES[number].place()]: source_line(SITES[number]) for number in numbers if SITES[number].line}
    run = with_variables(run, sources, on_behalf)
    assertion = ""
    if failure.kind == "assertion":
        lane = next((lane.number for lane in run.lanes if lane.name == failure.task), -1)
        assertion = next((one.assertion for one in run.raised if one.task == lane), "")
    lines = interleaving_lines(run, width, sources)
    gil = gil_label(outcome) if trace.model in SEES_ACCESSES else ""
    return ToldRun(_writable(facts_sentence(run)), tuple(map(_writable, lines)), _writable(assertion), gil)


def _writable(text: str) -> str:
    """What no encoding has, a target may have in a name: it is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
