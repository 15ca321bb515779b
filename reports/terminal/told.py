"""A failing run as a person reads it on a terminal: a sentence, and what the tasks did in order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.search.recorder import matching
from semafuzz.harness.traces.schema import Trace
from semafuzz.reports.run_view.build import record_run
from semafuzz.reports.run_view.facts import facts_sentence
from semafuzz.reports.run_view.sources import source_line
from semafuzz.reports.terminal.columns import interleaving_lines

WIDTH = "COLUMNS"
"""The variable with the width for which lines are laid out where there is no terminal, as shells have it."""
DEFAULT_WIDTH = 120
MOST_EVENTS = 20_000
"""Of longer runs nothing is told: one that never ends has no order that would explain it."""


@dataclass(frozen=True, slots=True)
class ToldRun:
    """``sentence``: "" where no pattern is known; ``lines``: laid out for a width."""

    sentence: str = ""
    lines: tuple[str, ...] = ()


NOTHING_TOLD = ToldRun()


def width_here() -> int:
    """How wide lines may be."""
    given = os.environ.get(WIDTH, "")
    if given.isascii() and given.isdigit() and 20 <= int(given) <= 500:
        return int(given)
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return DEFAULT_WIDTH


def told_run(trace: Trace, outcome: Outcome, values: Mapping[int, tuple[str, str]], width: int) -> ToldRun:
    """The failing run of a trace. ``values``: what each access found and left, by event
    (:class:`semafuzz.reports.run_view.values.Values`); nothing is told where the run shows another failure."""
    if trace.model == "trio" or len(outcome.events) > MOST_EVENTS:
        return NOTHING_TOLD
    try:
        failure = matching(outcome, trace.expected.identity)
    except ValueError:
        return NOTHING_TOLD
    necessity = trace.necessity.preemptions if trace.necessity is not None else ()
    run = record_run(outcome, values, failure, necessity)
    numbers = {event[4] for event in outcome.events} | {task.pending[3] for task in outcome.tasks if not task.done}
    sources = {SITES[number].place(): source_line(SITES[number]) for number in numbers if number}
    return ToldRun(_writable(facts_sentence(run)), tuple(map(_writable, interleaving_lines(run, width, sources))))


def _writable(text: str) -> str:
    """What no encoding has, a target may have in a name: it is spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
