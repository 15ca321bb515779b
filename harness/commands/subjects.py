"""What a trace is of, made ready to run: a checked function, or a target's operations."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import known_files
from harness.checked import load
from harness.commands.elsewhere import choose_code
from harness.errors import CannotJudge, UsageError
from harness.findings import Origin
from harness.kernel.sites import SITES
from harness.laboratory import Laboratory, open_laboratory
from harness.program import Program, Setting
from harness.traces.schema import Function, Operations, Trace
from targets import find_target
from targets.protocol import OpenTarget, Target
from targets.scenario import Scenario, scenario_of


@dataclass(slots=True)
class Subject:
    """A trace's program in an open laboratory.

    ``recorded``: it is the code that made the trace, as far as names and digests tell.
    ``code``: what it is, for a person. ``target``, ``opened`` and ``scenario`` are
    None for a checked function. ``program_option``: what a replay has to be given.
    """

    trace: Trace
    program: Program
    laboratory: Laboratory
    setting: Setting
    origin: Origin
    code: str
    recorded: bool
    target: Target | None = None
    opened: OpenTarget | None = None
    scenario: Scenario | None = None
    program_option: str = ""


@contextmanager
def open_subject(
    trace: Trace, program: str | None = None, release: str = "", source: Path | None = None
) -> Iterator[Subject]:
    """Make ready what ``trace`` is of.

    ``program``: FILE.py:FUNCTION, for checked functions. ``release`` and ``source``:
    which Nova, for traces of its operations; by default the one that made the trace.
    Raises UsageError where these do not go together or name nothing, CannotJudge
    where control fails.
    """
    if isinstance(trace.program, Function):
        if release or source is not None:
            raise UsageError("--release and --source go with traces of Nova; this one is of a checked function")
        with _open_function(trace, trace.program, program) as subject:
            yield subject
        return
    if program is not None:
        raise UsageError("--program goes with traces of checked functions; this trace names its own operations")
    with _open_operations(trace, trace.program, release, source) as subject:
        yield subject


def _setting(trace: Trace) -> Setting:
    return Setting(bytearray(max(1 << 16, 2 * len(SITES))), trace.model, trace.seed)


def _heard(laboratory: Laboratory) -> Laboratory:
    if laboratory.silence:
        raise CannotJudge(laboratory.silence)
    return laboratory


@contextmanager
def _open_function(trace: Trace, identity: Function, program: str | None) -> Iterator[Subject]:
    spec = program
    if spec is None:
        known = known_files.recall(identity)
        if known is None:
            raise UsageError(
                f"this trace is of {identity.function} in a file {identity.file} that was not checked on this machine; "
                f"say which it is with --program FILE.py:{identity.function}"
            )
        spec = f"{known}:{identity.function}"
    checked = load(spec, identity.instrument, rewrite=trace.model == "threads")
    same = checked.identity.sha256 == identity.sha256
    if not same:
        print(f"semafuzz: {checked.path} has changed since the trace was made", file=sys.stderr)
    with open_laboratory(checked.program.modules()[1:], instrument=trace.model == "threads") as laboratory:
        origin = Origin("function", checked.identity)
        yield Subject(
            trace,
            checked.program,
            _heard(laboratory),
            _setting(trace),
            origin,
            spec,
            same,
            program_option=spec if program is not None else "",
        )


@contextmanager
def _open_operations(trace: Trace, content: Operations, release: str, source: Path | None) -> Iterator[Subject]:
    target = find_target(trace.target)
    wanted = choose_code(target, release or trace.release, source)
    with (
        target.open(wanted) as opened,
        open_laboratory(opened.modules, instrument=trace.model == "threads") as laboratory,
    ):
        scenario = scenario_of(trace)
        yield Subject(
            trace,
            opened.program(scenario),
            _heard(laboratory),
            _setting(trace),
            origin_of(target, opened, scenario),
            f"the source in {source}" if source is not None else f"{target.name} {opened.release}",
            source is None and opened.release == trace.release,
            target,
            opened,
            scenario,
        )


def origin_of(target: Target, opened: OpenTarget, scenario: Scenario) -> Origin:
    """What traces of a scenario say of where they come from."""
    names = tuple(dict.fromkeys(one.name for task in scenario.content.tasks for one in task))
    libraries: Mapping[str, str] = opened.libraries
    return Origin(
        target.name,
        scenario.content,
        opened.release,
        scenario.configuration,
        libraries,
        names,
        scenario.faults,
    )
