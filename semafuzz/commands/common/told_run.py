"""A failing run as a person reads it on a terminal: a sentence, and what the tasks did in order."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from semafuzz.commands.trace.opened_trace import OpenedTrace
from semafuzz.harness.errors import SemafuzzError
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.search.recorder import matching
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.traces.schema import Trace
from semafuzz.reports.run_view.build import record_run
from semafuzz.reports.run_view.facts import facts_sentence
from semafuzz.reports.run_view.sources import source_line
from semafuzz.reports.run_view.values import Values
from semafuzz.reports.terminal.columns import interleaving_lines

WIDTH = "COLUMNS"
"""The variable with the width for which lines are laid out where there is no terminal, as shells have it."""
DEFAULT_WIDTH = 120
MOST_EVENTS = 20_000
"""Of longer runs nothing is told: one that never ends has no order that would explain it."""


@dataclass(frozen=True, slots=True)
class ToldRun:
    """``sentence``: "" where no pattern is known; ``lines``: laid out for ``width_here()``."""

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


def told_run(trace: Trace, subject: OpenedTrace, outcome: Outcome) -> ToldRun:
    """The failing run once more, with what each access found and left; nothing where it does not repeat."""
    if trace.model == "trio" or len(outcome.events) > MOST_EVENTS:
        return NOTHING_TOLD
    values = Values()
    watched = replace(subject.setting, detectors=(*subject.setting.detectors, values))
    try:
        again = replay(subject.program, choices_of(outcome), watched).outcome
        failure = matching(again, trace.expected.identity)
    except (ValueError, SemafuzzError):
        return NOTHING_TOLD
    subject.laboratory.control.between_executions()
    necessity = trace.necessity.preemptions if trace.necessity is not None else ()
    run = record_run(again, values.seen, failure, necessity)
    numbers = {event[4] for event in again.events} | {task.pending[3] for task in again.tasks if not task.done}
    sources = {SITES[number].place(): source_line(SITES[number]) for number in numbers if number}
    return ToldRun(facts_sentence(run), tuple(interleaving_lines(run, width_here(), sources)))
