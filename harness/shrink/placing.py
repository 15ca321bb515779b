"""Preemptions elsewhere: later in the task that is interrupted, or for another task.

What the normal form cannot do, since it keeps the order of dependent operations: a run
in which a preemption comes later, or another task takes the turn, is another execution
and has to be tried.
"""

from __future__ import annotations

from collections.abc import Iterator

from semafuzz.harness.schedulers.directed import Directive
from semafuzz.harness.shrink.trials import Failing, Run, Trials

MOST_PLACES = 24
"""Later places that are tried for one directive, the latest first."""


def placed(value: Failing, trials: Trials) -> Failing:
    """``value`` with each directive, in turn, exchanged for the simplest that will do."""
    number = 0
    while number < len(value.run.directives) and trials.affords() and trials.steady:
        simpler = _exchanged(value, number, trials)
        if simpler is None:
            number += 1
        else:
            value = simpler
    return value


def _exchanged(value: Failing, number: int, trials: Trials) -> Failing | None:
    directives = value.run.directives
    before, one, after = directives[:number], directives[number], directives[number + 1 :]
    calm = trials.make((*before, *after))
    if calm is None:
        return None
    for other in (*_later(calm, one), *_for_others(value.run, one)):
        simpler = trials.attempt((*before, other, *after), value.size)
        if simpler is not None:
            return simpler
    return None


def _later(calm: Run, one: Directive) -> Iterator[Directive]:
    """The directive at later places of its task, in the run that does without it."""
    places = [place for place in calm.places if place.task == one.place.task and place > one.place]
    for place in reversed(places[:MOST_PLACES]):
        yield Directive(place, one.chosen)


def _for_others(run: Run, one: Directive) -> Iterator[Directive]:
    """The directive with the turn given to other tasks, lowest number first."""
    for place, decision in zip(run.places, run.outcome.decisions, strict=False):
        if place == one.place:
            for other in sorted(decision.enabled):
                if other not in (one.chosen, decision.current):
                    yield Directive(place, other)
