"""Replaying a trace of a target's operations."""

from __future__ import annotations

import sys

from harness.commands.locking import Locking
from harness.errors import CannotJudge
from harness.kernel.sites import SITES
from harness.laboratory import open_laboratory
from harness.program import Setting
from harness.replaying import Replayed, replay
from harness.traces.build import recorded_choices
from harness.traces.schema import Operations, Trace
from targets import traced_target
from targets.declared_stage import DECLARED
from targets.protocol import OpenTarget
from targets.scenario import scenario_of


def replay_operations(trace: Trace, program: str | None = None) -> Replayed:
    """Run the trace on its target; UsageError where that does not have what it names.

    ``program``: FILE.py:CLASS, for a target of one's own.
    """
    assert isinstance(trace.program, Operations)
    target = traced_target(trace, program)
    with (
        target.open(trace.release) as opened,
        open_laboratory(opened.modules, instrument=trace.model == "threads") as laboratory,
    ):
        if laboratory.silence:
            raise CannotJudge(laboratory.silence)
        _warn_of_changes(trace, opened)
        made = opened.program(scenario_of(trace))
        watchers = Locking(opened, trace.model).watchers
        setting = Setting(bytearray(max(1 << 16, 2 * len(SITES))), trace.model, trace.seed, watchers=watchers)
        return replay(made, recorded_choices(trace), setting)


def _warn_of_changes(trace: Trace, opened: OpenTarget) -> None:
    """Code of one's own changes between finding and mending."""
    if trace.target != DECLARED:
        return
    for name, digest in opened.libraries.items():
        if trace.versions.get(name) != digest:
            print(f"semafuzz: {name} has changed since the trace was made", file=sys.stderr)
