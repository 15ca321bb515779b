"""Opened traces: the checked function, or the target's operations, ready to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from semafuzz.commands.common.load_function import load_checked
from semafuzz.commands.common.release_process import choose_code
from semafuzz.commands.common.target_detectors import detectors_of
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import CannotJudge, CodeError, UsageError
from semafuzz.harness.kernel.outcome import SEES_ACCESSES
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program import Program
from semafuzz.harness.runs.program_output import own_errors
from semafuzz.harness.runs.session import ControlledSession, controlled_session
from semafuzz.harness.traces.schema import Function, Operations, Trace
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.targets import traced_target
from semafuzz.targets.declared.target import DECLARED
from semafuzz.targets.model.configured_target import configure, fixed_by
from semafuzz.targets.model.protocol import OpenTarget, Released, Target, modules_to_watch
from semafuzz.targets.model.scenario import Scenario, scenario_of
from semafuzz.targets.model.trace_origin import origin_of


class Code(NamedTuple):
    """On which code a trace is to be run. ``program``: FILE.py:NAME, for a checked function or a
    target of one's own. ``release`` and ``source``: which Nova, for traces of its operations; by
    default the one that made the trace. ``settings``: options of the target, as ``NAME=VALUE``,
    in place of those recorded. ``instrument``: modules that the trace may have imported. ``patient``: somebody types
    meanwhile, so that no run counts as stuck."""

    program: str | None = None
    release: str = ""
    source: Path | None = None
    settings: Sequence[str] = ()
    instrument: Sequence[str] = ()
    patient: bool = False


@dataclass(slots=True)
class OpenedTrace:
    """A trace's program in an open laboratory.

    ``recorded``: it is the code that made the trace, as far as names and digests tell.
    ``code``: what it is, for a person. ``target``, ``opened`` and ``scenario`` are
    None for a checked function. ``program_option``: what a replay has to be given.
    """

    trace: Trace
    program: Program
    laboratory: ControlledSession
    setting: ExecutionConfig
    origin: Origin
    code: str
    recorded: bool
    target: Target | None = None
    opened: OpenTarget | None = None
    scenario: Scenario | None = None
    program_option: str = ""


@contextmanager
def opened_trace(trace: Trace, code: Code) -> Iterator[OpenedTrace]:
    """Make ready what ``trace`` is of, on this code. Raises UsageError where what is asked for
    does not go together or names nothing, CannotJudge where control fails or the code does not
    run."""
    with ExitStack() as stack:
        try:
            subject = stack.enter_context(_opened(trace, code))
        except CodeError as error:
            raise CannotJudge(str(error)) from error
        yield subject


@contextmanager
def _opened(trace: Trace, code: Code) -> Iterator[OpenedTrace]:
    if isinstance(trace.program, Function):
        if code.release or code.source is not None:
            raise UsageError("--release and --source go with traces of Nova; this one is of a checked function")
        if code.settings:
            raise UsageError("--set goes with traces of a target's operations; a checked function has no options")
        with _open_function(trace, trace.program, code) as subject:
            yield subject
        return
    with _open_operations(trace, trace.program, code) as subject:
        yield subject


def _heard(laboratory: ControlledSession) -> ControlledSession:
    if laboratory.uncontrolled_reason:
        raise CannotJudge(laboratory.uncontrolled_reason)
    return laboratory


def _stall(asked: Code) -> float:
    """Seconds without a step after which a run counts as stuck; 0 for never."""
    return 0.0 if asked.patient else 5.0


def _hot() -> bytearray:
    return bytearray(max(1 << 16, 2 * len(SITES)))


@contextmanager
def _open_function(trace: Trace, identity: Function, asked: Code) -> Iterator[OpenedTrace]:
    spec = program = asked.program
    known = source_index.find(identity)
    if spec is None:
        if known is None and "test" in trace.configuration:
            test = plain(str(trace.configuration["test"]), 300)
            raise UsageError(
                f"this trace is of the test {test}, which needs pytest: name the test and --interleave-replay TRACE"
            )
        if known is None:
            raise UsageError(
                f"this trace is of {identity.function} in a file {identity.file} that was not checked on this machine; "
                f"say which it is with --program FILE.py:{identity.function}"
            )
        spec = f"{known.path}:{identity.function}"
    trusted = {*asked.instrument, *(known.modules if known is not None else ())}
    what_if = str(trace.configuration.get(WHAT_IF, ""))
    checked, model = load_checked(
        spec,
        identity.instrument,
        trace.model,
        trusted,
        thorough=trace.thorough,
        renamed=identity.renamed,
        what_if=what_if,
    )
    if model != trace.model:
        raise CannotJudge(f"the trace was made under the model {trace.model}, {spec} runs under {model}")
    same = checked.identity.sha256 == identity.sha256
    if not same:
        print(f"semafuzz: {checked.path} has changed since the trace was made", file=own_errors())
    with (
        checked.program.session(),
        controlled_session(
            checked.program.modules()[1:],
            instrument=model != "eventlet",
            thorough=trace.thorough,
            stall=_stall(asked),
        ) as laboratory,
    ):
        yield OpenedTrace(
            trace,
            checked.program,
            _heard(laboratory),
            ExecutionConfig(_hot(), trace.model, trace.seed, thorough=trace.thorough),
            Origin("function", checked.identity, configuration={WHAT_IF: what_if} if what_if else {}),
            spec,
            same,
            program_option=program or "",
        )


@contextmanager
def _open_operations(trace: Trace, content: Operations, asked: Code) -> Iterator[OpenedTrace]:
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
            stall=_stall(asked),
        ) as laboratory,
    ):
        changed = _changed(trace, opened)
        for name in changed:
            print(f"semafuzz: {name} has changed since the trace was made", file=own_errors())
        recorded = scenario_of(trace)
        scenario = replace(recorded, configuration={**recorded.configuration, **fixed})
        code = f"the source in {source}" if source is not None else f"{target.name} {opened.release}"
        setting = ExecutionConfig(
            _hot(),
            trace.model,
            trace.seed,
            detectors=tuple(detectors_of(opened, trace.model)),
            thorough=trace.thorough,
        )
        yield OpenedTrace(
            trace,
            opened.program(scenario),
            _heard(laboratory),
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
