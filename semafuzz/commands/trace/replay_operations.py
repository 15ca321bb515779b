"""Replaying a trace of a target's operations."""

from __future__ import annotations

from semafuzz.commands.trace.opened_trace import Code, opened_trace
from semafuzz.harness.runs.replay_run import Replayed, replay
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.schema import Trace


def replay_operations(trace: Trace, program: str | None = None) -> Replayed:
    """Run the trace on its target; UsageError where that does not have what it names.

    ``program``: FILE.py:CLASS, for your own target.
    """
    with opened_trace(trace, Code(program)) as subject:
        return replay(subject.program, recorded_choices(trace), subject.setting)
