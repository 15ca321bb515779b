"""One thing to explore: a program, under a configuration, with faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from semafuzz.harness.traces.schema import Operation, Operations, Trace, Value


@dataclass(frozen=True, slots=True)
class Scenario:
    """``content``: what the tasks do. ``configuration``: the target's options that
    differ from their defaults, by name. ``faults``: each the name of a fault of the
    target with ``task`` (its number) and ``call`` (the number of the I/O point of that
    task, among those that the fault fits, counted from 1)."""

    content: Operations
    configuration: Mapping[str, Value] = field(default_factory=dict)
    faults: tuple[Operation, ...] = ()


def scenario_of(trace: Trace) -> Scenario:
    """What a trace of a target's operations says was run."""
    assert isinstance(trace.program, Operations)
    return Scenario(trace.program, dict(trace.configuration), trace.faults)


def parts_of(scenario: Scenario) -> list[str]:
    """The names of its operations and faults."""
    return [one.name for task in (*scenario.content.tasks, scenario.faults) for one in task]


def faults_of(scenario: Scenario) -> list[str]:
    """The names of its faults, in order."""
    return sorted(one.name for one in scenario.faults)


def describe_operation(operation: Operation) -> str:
    """``claim(1)``, ``resize(1, size=4)``: the same whatever the order of the arguments
    is, since this text is in the event stream and a trace sorts them."""
    named = dict(sorted(operation.arguments.items()))
    parts = [str(named.pop("instance"))] if "instance" in named else []
    return f"{operation.name}({', '.join(parts + [f'{name}={value}' for name, value in named.items()])})"


def describe_fault(fault: Operation) -> str:
    """``conductor_timeout in task 0 at call 3``; of a trace that lacks one of them, ``?``."""
    return f"{fault.name} in task {fault.arguments.get('task', '?')} at call {fault.arguments.get('call', '?')}"


BEFORE = "before"
"""What describes an instance by the calls that were made to it before, in words."""


def describe(scenario: Scenario) -> str:
    """``claim(1) ; update_usage(1) || audit()``, then faults and configuration; ``after put(1): get() || get()``
    where calls were made before."""
    tasks = [" ; ".join(describe_operation(one) for one in task) for task in scenario.content.tasks]
    before = [str(one.arguments[BEFORE]) for one in scenario.content.setup if one.arguments.get(BEFORE)]
    parts = [(f"after {'; '.join(before)}: " if before else "") + " || ".join(tasks)]
    parts += [describe_fault(one) for one in scenario.faults]
    parts += [f"{name}={value}" for name, value in sorted(scenario.configuration.items())]
    return ", ".join(parts)
