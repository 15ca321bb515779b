"""Replaying a trace of a target's operations."""

from __future__ import annotations

from harness.errors import CannotJudge
from harness.kernel.sites import SITES
from harness.laboratory import open_laboratory
from harness.program import Setting
from harness.replaying import Replayed, replay
from harness.traces.build import recorded_choices
from harness.traces.schema import Operations, Trace
from targets import find_target
from targets.scenario import scenario_of


def replay_operations(trace: Trace) -> Replayed:
    """Run the trace on its target; UsageError where that does not have what it names."""
    assert isinstance(trace.program, Operations)
    target = find_target(trace.target)
    with (
        target.open(trace.release) as opened,
        open_laboratory(opened.modules, instrument=trace.model == "threads") as laboratory,
    ):
        if laboratory.silence:
            raise CannotJudge(laboratory.silence)
        program = opened.program(scenario_of(trace))
        setting = Setting(bytearray(max(1 << 16, 2 * len(SITES))), trace.model, trace.seed)
        return replay(program, recorded_choices(trace), setting)
