"""``semafuzz export``: a trace in the form of something else."""

from __future__ import annotations

import os
from pathlib import Path

from harness import known_files
from harness.checked import split
from harness.errors import UsageError
from harness.traces.codec import read
from harness.traces.schema import Function, Operations
from reports.unittest_case import module_name, unittest_file
from targets import find_target


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
    file = ""
    if isinstance(trace.program, Function):
        file = os.path.relpath(_checked_file(trace.program, program), target.resolve().parent)
    else:
        assert isinstance(trace.program, Operations)
        if program is not None:
            raise UsageError("--program goes with traces of checked functions; this trace names its own operations")
        find_target(trace.target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="\n") as sink:
            sink.write(unittest_file(trace, file=file))
    except FileExistsError:
        raise UsageError(f"{target} is there already; remove it, or give another file with --out") from None
    except OSError as error:
        raise UsageError(f"cannot write {target} ({error.strerror}); give another file with --out") from None
    print(f"{target}: run it with `python -m unittest {target}`, where semafuzz is installed")
    return 0


def _checked_file(identity: Function, program: str | None) -> Path:
    """The file of a checked function."""
    if program is not None:
        path, function = split(program)
        if function != identity.function or not path.is_file():
            raise UsageError(
                f"the trace is of {identity.function} in {identity.file}; give FILE.py:{identity.function}"
            )
        return path.resolve()
    known = known_files.recall(identity)
    if known is None:
        raise UsageError(
            f"this trace is of {identity.function} in a file {identity.file} that was not checked on this machine; "
            f"say which it is with --program FILE.py:{identity.function}"
        )
    return known
