"""``semafuzz export``: a trace in the form of something else."""

from __future__ import annotations

import os
from pathlib import Path

from semafuzz.commands.common.new_file import write_new
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.function_file import split
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Function, Trace
from semafuzz.reports.formats.unittest_case import module_name, unittest_file
from semafuzz.targets import find_target
from semafuzz.targets.declared.target import DECLARED


def run_export(path: Path, form: str, out: Path | None, program: str | None) -> int:
    """Write the trace as a test file; the exit code.

    ``out``: the file; by default ``test_SIGNATURE.py`` in the current folder. Nothing
    is written over. ``program``: where the checked function is, as FILE.py:FUNCTION.
    """
    assert form == "unittest"
    trace = read(path)
    target = out if out is not None else Path(f"{module_name(trace)}.py")
    if target.is_dir():
        target = target / f"{module_name(trace)}.py"
    place: tuple[str, str] | None = None
    identity = _identity(trace)
    if identity is not None:
        file = os.path.relpath(_file_of(identity, trace, program), target.resolve().parent)
        place = (file, identity.function)
    elif program is not None:
        raise UsageError("--program goes with traces of checked functions and of targets of your own")
    else:
        find_target(trace.target)
    write_new(target, unittest_file(trace, program=place))
    print(f"{target}: run it with `python -m unittest {target}`, where semafuzz is installed")
    return 0


def _identity(trace: Trace) -> Function | None:
    """The function or class of a file that a trace is of; None for a target of the registry."""
    if isinstance(trace.program, Function):
        return trace.program
    if trace.target != DECLARED:
        return None
    file, _, name = trace.release.rpartition(":")
    return Function(file, name, trace.versions.get(trace.release, ""))


def _file_of(identity: Function, trace: Trace, program: str | None) -> Path:
    """Where that file is."""
    if program is not None:
        path, name = split(program, methods=True)
        if name != identity.function or not path.is_file():
            raise UsageError(f"{program} is not it; give the path of {identity.file} as FILE.py:{identity.function}")
        return path.resolve()
    known = source_index.find(identity)
    if known is None and "test" in trace.configuration:
        raise UsageError("this trace is of a test that pytest runs, and kept beside it is a test already")
    if known is None:
        raise UsageError(
            f"this trace is of {identity.function} in a file {identity.file} that was not run on this machine; "
            f"say which it is with --program FILE.py:{identity.function}"
        )
    return known.path
