"""Small programs with a fault: every operation alone with each fault at each call, and beside another operation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from semafuzz.harness.traces.schema import Operation, Operations
from semafuzz.strategies.pairs.programs import Pair, programs_of, units_of
from semafuzz.targets.model.protocol import Target
from semafuzz.targets.model.scenario import Scenario

CallsOf = Callable[[Scenario], Sequence[str]]
"""The names of the I/O points that the one task of a scenario comes to, in order."""
_MOST_CALLS = 6
"""Calls of one operation that fail."""
_PROGRAMS = 8
"""Start states and arguments with which an operation fails."""


def faulty_singles(target: Target, calls_of: CallsOf, seed: int) -> Iterator[Scenario]:
    """Every operation alone, with one fault."""
    for unit in units_of(target):
        for whole in programs_of(target, (unit, unit), seed, _PROGRAMS):
            plain = Scenario(_first_task(whole), whole.configuration)
            yield from with_faults(target, plain, calls_of)


def faulty_pairs(target: Target, pair: Pair, calls_of: CallsOf, seed: int, most: int = 4) -> Iterator[Scenario]:
    """Two operations, of which the first meets a fault."""
    for whole in programs_of(target, pair, seed, most):
        alone = Scenario(_first_task(whole), whole.configuration)
        for one in with_faults(target, alone, calls_of):
            yield Scenario(whole.content, whole.configuration, one.faults)


def with_faults(target: Target, plain: Scenario, calls_of: CallsOf) -> Iterator[Scenario]:
    """The scenario with each fault at each call of its one task that it fits."""
    calls = calls_of(plain)
    for fault in target.faults():
        for number in range(1, 1 + min(_MOST_CALLS, sum(map(fault.fits, calls)))):
            yield Scenario(plain.content, plain.configuration, (Operation(fault.name, {"task": 0, "call": number}),))


def _first_task(whole: Scenario) -> Operations:
    return Operations(whole.content.setup, whole.content.tasks[:1])
