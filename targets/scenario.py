"""One thing to explore: a program, under a configuration, with faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.traces.schema import Operation, Operations, Trace, Value


@dataclass(frozen=True, slots=True)
class Scenario:
    """``content``: what the tasks do. ``configuration``: the target's options that
    differ from their defaults, by name. ``faults``: each the name of a fault of the
    target with ``task`` (its number) and ``call`` (the how manyth I/O point of that
    task, among those that the fault fits, counted from 1)."""

    content: Operations
    configuration: Mapping[str, Value] = field(default_factory=dict)
    faults: tuple[Operation, ...] = ()


def scenario_of(trace: Trace) -> Scenario:
    """What a trace of a target's operations says was run."""
    assert isinstance(trace.program, Operations)
    return Scenario(trace.program, dict(trace.configuration), trace.faults)


def describe_operation(operation: Operation) -> str:
    """``claim(1)``"""
    return f"{operation.name}({', '.join(str(value) for value in operation.arguments.values())})"


def describe(scenario: Scenario) -> str:
    """``claim(1) ; update_usage(1) || audit()``, then faults and configuration."""
    tasks = [" ; ".join(describe_operation(one) for one in task) for task in scenario.content.tasks]
    parts = [" || ".join(tasks)]
    parts += [f"{one.name} in task {one.arguments['task']} at call {one.arguments['call']}" for one in scenario.faults]
    parts += [f"{name}={value}" for name, value in sorted(scenario.configuration.items())]
    return ", ".join(parts)
