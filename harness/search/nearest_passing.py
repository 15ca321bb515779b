"""The nearest run that does not fail: what differs shows what the failure needs.

Each preemption of the failing run is left out, the last one first, and the natural
schedule goes on from there: so the two runs are the same up to that place. Where the
failure shows without any preemption, a fault is left out; where it needs none either,
every order in which whole tasks run is tried. Nearest is meant so: with the longest
common beginning among the runs that were tried, not among all that exist.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.naming import Namer, name_text
from semafuzz.harness.kernel.outcome import ADVICE, SEES_ACCESSES, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import Program, execute
from semafuzz.harness.schedulers.directed import Directed, Directive, places_of
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.serial_order import SerialOrder
from semafuzz.harness.shrink.size import interruptions

TRIES = 40
"""Runs that are made to find one."""
ORDERS = 6


@dataclass(frozen=True, slots=True)
class Nearest:
    """A passing run. ``how``: what was done otherwise."""

    outcome: Outcome
    how: str


def nearest_passing(
    program: Program, origin: Origin, setting: ExecutionConfig, failing: Outcome, between: Callable[[], None]
) -> Nearest | None:
    """The nearest run that passes; None where none of those tried does.

    ``setting``: one of its own, whose scheduling points may be learned; its detectors have seen
    the run that is returned last. ``between`` is called after each execution.
    """
    if setting.model in SEES_ACCESSES:
        for decision in failing.decisions:
            for pending in decision.pending:
                setting.hot[pending[3]] = 1
        setting.hot[0] = 0
        setting.learn(failing)
    for candidate, scheduler, how in itertools.islice(_candidates(program, origin, failing), TRIES):
        outcome = execute(candidate, scheduler, setting)
        between()
        passes = not outcome.uncontrolled and all(failure.kind in ADVICE for failure in outcome.failures)
        if passes and part(failing, outcome) is not None:
            return Nearest(outcome, how)
    return None


def _candidates(program: Program, origin: Origin, failing: Outcome) -> Iterator[tuple[Program, Scheduler, str]]:
    places = list(places_of(failing))
    directives = [Directive(place, decision.chosen) for place, decision in zip(places, failing.decisions, strict=True)]
    interrupted = {decision.step for decision in interruptions(failing)}
    numbers = [number for number, decision in enumerate(failing.decisions) if decision.step in interrupted]
    for number in reversed(numbers):
        task = failing.tasks[failing.decisions[number].current].name
        how = f"at that place {task} goes on"
        stay = Directive(places[number], failing.decisions[number].current)
        yield program, Directed([*directives[:number], stay]), how
        yield program, Directed([*directives[:number], stay, *directives[number + 1 :]]), how
    for number, fault in enumerate(origin.faults):
        if origin.without_fault is not None:
            without = origin.without_fault(number)
            yield without, Directed(directives), f"the fault {fault.name} does not happen"
    for order in itertools.islice(itertools.permutations(range(len(failing.tasks))), ORDERS):
        names = ", then ".join(failing.tasks[number].name for number in order)
        yield program, SerialOrder(order), f"the tasks run one after the other: {names}"


def part(one: Outcome, other: Outcome) -> int | None:
    """The number of the first event in which two runs differ; None where they are the same."""
    for step, (first, second) in enumerate(itertools.zip_longest(_words(one), _words(other))):
        if first != second:
            return step
    return None


def _words(outcome: Outcome) -> Iterator[tuple[object, ...]]:
    namer = Namer()
    for kind, task, subject, name, site in outcome.events:
        yield op.KIND_NAMES[kind], task.index, namer.name(subject), name_text(name), SITES[site].function
