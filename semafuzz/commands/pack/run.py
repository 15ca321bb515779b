"""``semafuzz pack``: write a finding, its sources and its picture into one file."""

from __future__ import annotations

import platform
from pathlib import Path

import semafuzz
from semafuzz.commands.pack.schema import SUFFIX, About, Pack, write_pack
from semafuzz.commands.report.draw import draw
from semafuzz.commands.trace.opened_trace import Code, opened_trace
from semafuzz.harness.errors import UsageError
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.function_file import split
from semafuzz.harness.runs.import_folders import import_root
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Function, Trace
from semafuzz.reports.terminal.plain_text import plain, script


def run_pack(path: Path, out: Path | None, program: str | None) -> int:
    """Write the pack beside the trace, or to ``out``; the exit code. UsageError where the trace cannot be run here."""
    trace = read(path)
    if not isinstance(trace.program, Function):
        raise UsageError("only traces of checked functions are packed: those of targets need no file but the trace")
    spec = program or _known(trace, trace.program)
    sources, inside = _sources(trace, spec)
    picture = draw(trace, spec)
    if picture.run is None:
        raise UsageError(f"{path}: {picture.reproduces}; pack it where it does")
    versions = {"semafuzz": semafuzz.__version__, "python": platform.python_version(), **trace.versions}
    target = out or path.with_name(f"{trace.expected.signature}{SUFFIX}")
    try:
        write_pack(Pack(trace, About(1, inside, versions), picture, sources), target)
    except OSError as error:
        raise UsageError(f"cannot write {target} ({error.strerror}); give another file with --out") from None
    print(f"packed with {', '.join(plain(name, 200) for name in sorted(sources))}; on another machine:")
    print(f"  {script()} show {plain(str(target), 1000)}")
    print(f"  {script()} replay {plain(str(target), 1000)} --trust")
    return 0


def _known(trace: Trace, identity: Function) -> str:
    known = source_index.find(identity)
    if known is None:
        raise UsageError(f"say where {identity.file} is: --program FILE.py:{identity.function}")
    return f"{known.path}:{identity.function}"


def _sources(trace: Trace, spec: str) -> tuple[dict[str, bytes], str]:
    """The checked file and the first-party modules that it imports while it runs, by their paths below the folder from
    which they are imported; and the program as a path of these."""
    path, name = split(spec, methods=True)
    path = path.resolve()
    root = import_root(path)
    with opened_trace(trace, Code(spec)) as subject:
        replay(subject.program, recorded_choices(trace), subject.setting)
        imported = subject.program.imported
        files = [path, *(Path(one) for one in (imported.sources() if imported is not None else ()))]
    inside = [file for file in dict.fromkeys(files) if file.is_relative_to(root)]
    packages = [folder / "__init__.py" for file in inside for folder in file.parents if folder.is_relative_to(root)]
    inside += [file for file in dict.fromkeys(packages) if file.parent != root and file.is_file()]
    found = {file.relative_to(root).as_posix(): file.read_bytes() for file in dict.fromkeys(inside)}
    return found, f"{path.relative_to(root).as_posix()}:{name}"
