"""Necessity of each preemption and each fault that is left for the failure.

Each is taken back alone: the running task goes on instead, or the call is not made to
fail, and everything else that was directed stays. Where the failure still shows, that
one was not needed. The ones that are needed are the places to show a person.

It can be wrong in one direction: without one preemption the others may come to other
places, so a preemption can be called needed though some other schedule does without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.origin import WithoutFault
from semafuzz.harness.schedulers.directed import Directive
from semafuzz.harness.shrink.size import interruptions
from semafuzz.harness.shrink.trials import Failing, Run, Trials
from semafuzz.harness.traces.schema import Interruption, Necessity


@dataclass(frozen=True, slots=True)
class Checked:
    """The result, and the failing runs that showed something not to be needed."""

    necessity: Necessity
    without: tuple[Run, ...] = ()


def check_necessity(
    value: Failing, trials: Trials, faults: int = 0, without_fault: WithoutFault | None = None
) -> Checked | None:
    """Take each preemption of ``value``, and each of so many faults, back alone.

    None where the budget does not cover it. Faults are left out where there is no
    ``without_fault``.
    """
    found: list[Interruption] = []
    without: list[Run] = []
    outcome = value.run.outcome
    for number, directive in _preempting(value.run):
        rest = [one for one in value.run.directives if one != directive]
        passes = trials.known_to_pass(rest)
        if not passes:
            run = trials.make(rest)
            if run is None:
                return None
            passes = not run.fails
            if run.fails:
                without.append(run)
        found.append(_interruption(outcome, number, passes))
    needed = []
    for fault in range(faults if without_fault is not None else 0):
        assert without_fault is not None
        run = trials.make(value.run.directives, without_fault(fault))
        if run is None:
            return None
        needed.append(not run.fails)
    return Checked(Necessity(tuple(found), tuple(needed)), tuple(without))


def _preempting(run: Run) -> Iterator[tuple[int, Directive]]:
    """The directives that are preemptions, with the numbers of their choices."""
    directed = {one.place: one for one in run.directives}
    steps = {decision.step: decision for decision in interruptions(run.outcome)}
    for number, (place, decision) in enumerate(zip(run.places, run.outcome.decisions, strict=False)):
        if place in directed and steps.get(decision.step) is decision:
            yield number, directed[place]


def _interruption(outcome: Outcome, number: int, needed: bool) -> Interruption:
    decision = outcome.decisions[number]
    site = decision.pending[decision.enabled.index(decision.current)][3]
    # Of the choice and not of the run's tasks: that time passes is a choice too, and no task.
    names = {task.index: task.name for task in outcome.raw_decisions[number][3]}
    return Interruption(
        decision.step,
        decision.current,
        _name(names[decision.current]),
        SITES[site].place()[:4096] if site else "",
        decision.chosen,
        _name(names[decision.chosen]),
        needed,
    )


def _name(name: str) -> str:
    """The name that the program gave a task, as a trace can hold it."""
    return name.encode("utf-8", "backslashreplace").decode()[:200]
