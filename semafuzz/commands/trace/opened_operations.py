"""A trace of a target's operations, made ready to run: on its release, on a source tree, or on your own code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from semafuzz.commands.common.release_process import choose_code
from semafuzz.commands.common.target_detectors import detectors_of
from semafuzz.commands.trace.subject import Code, OpenedTrace, controlled, no_points, stall_of
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel.outcome import SEES_ACCESSES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program_output import own_errors
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.traces.schema import Operations, Trace
from semafuzz.targets import traced_target
from semafuzz.targets.declared.target import DECLARED
from semafuzz.targets.model.configured_target import configure, fixed_by
from semafuzz.targets.model.protocol import OpenTarget, Released, modules_to_watch
from semafuzz.targets.model.scenario import scenario_of
from semafuzz.targets.model.trace_origin import origin_of


@contextmanager
def open_operations(trace: Trace, content: Operations, asked: Code) -> Iterator[OpenedTrace]:
    """See :func:`semafuzz.commands.trace.opened_trace.opened_trace`."""
    program, release, source, settings = asked[:4]
    target = traced_target(trace, program)
    fixed = fixed_by(configure(target, settings))
    if release and not isinstance(target, Released):
        raise UsageError(f"--release goes with Nova; this trace is of {trace.target}")
    wanted = choose_code(target, release or trace.release, source)
    remedies = str(trace.configuration.get(WHAT_IF, ""))
    if remedies and trace.target != DECLARED:
        target = configure(target, (), remedies=remedies)
    with (
        target.open(wanted) as opened,
        controlled_session(
            modules_to_watch(opened, thorough=trace.thorough),
            instrument=trace.model in SEES_ACCESSES,
            thorough=trace.thorough,
            stall=stall_of(asked),
        ) as laboratory,
    ):
        changed = _changed(trace, opened)
        for name in changed:
            print(f"semafuzz: {name} has changed since the trace was made", file=own_errors())
        recorded = scenario_of(trace)
        scenario = replace(recorded, configuration={**recorded.configuration, **fixed})
        code = f"the source in {source}" if source is not None else f"{target.name} {opened.release}"
        setting = ExecutionConfig(
            no_points(),
            trace.model,
            trace.seed,
            detectors=tuple(detectors_of(opened, trace.model)),
            thorough=trace.thorough,
        )
        yield OpenedTrace(
            trace,
            opened.program(scenario),
            controlled(laboratory),
            setting,
            origin_of(target, opened, scenario),
            ", ".join([code, *settings]),
            source is None and opened.release == trace.release and not changed and scenario == recorded,
            target,
            opened,
            scenario,
            program_option=program or "",
        )


def _changed(trace: Trace, opened: OpenTarget) -> list[str]:
    """Your own code that changed between finding and fixing."""
    if trace.target != DECLARED:
        return []
    return [name for name, digest in opened.libraries.items() if trace.versions.get(name) != digest]
