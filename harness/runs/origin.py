"""The origin of a program, as a trace says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from semafuzz.harness.runs.program import Program
from semafuzz.harness.traces.schema import Function, Operation, Operations, Value


@dataclass(frozen=True, slots=True)
class Origin:
    """What a trace says of where it comes from; see ``traces.schema.Trace``.

    ``without_fault``: the same program without one of its faults, by number."""

    target: str
    program: Function | Operations
    release: str = ""
    configuration: Mapping[str, Value] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    operations: Sequence[str] = ()
    faults: Sequence[Operation] = ()
    without_fault: WithoutFault | None = None


WithoutFault = Callable[[int], Program]
"""The program without the fault of this number."""
