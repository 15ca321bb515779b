"""``semafuzz merge``: what several searches found, in one folder.

Merging is copying: of two traces with one signature the smaller stays. It makes no
difference in which order folders are merged, or how often.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.commands.trace.list_traces import traces_in
from semafuzz.harness.errors import TraceError, UsageError
from semafuzz.harness.files.atomic_write import atomic_write
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operations, Trace
from semafuzz.reports.summaries import merge_summaries
from semafuzz.reports.terminal.plain_text import plain


@dataclass(slots=True)
class _Counts:
    new: int = 0
    smaller: int = 0
    known: int = 0


def run_merge(folders: tuple[Path, ...], into: Path) -> int:
    """Copy what the folders hold into one; the exit code."""
    found = [(folder, traces_in(folder)) for folder in folders]
    target = usable_folder(into, "--into")
    counts, broken = _Counts(), []
    try:
        for folder, paths in found:
            for path in paths:
                try:
                    _merge(path, target, counts)
                except TraceError as error:
                    broken.append(str(error))
            try:
                merge_summaries(folder, target)
            except UsageError as error:
                broken.append(str(error))
    except OSError as error:
        raise UsageError(
            f"cannot write to {into} ({error.strerror}); make room, and merge again: what was merged stays"
        ) from None
    for text in broken:
        print(f"semafuzz: {plain(text)}", file=sys.stderr)
    print(
        f"{counts.new} new, {counts.smaller} in place of larger ones, {counts.known} known already; "
        f"`semafuzz report {plain(str(into))}` makes pages of them"
    )
    return 4 if broken else 0


def _merge(path: Path, into: Path, counts: _Counts) -> None:
    trace = codec.read(path)
    data = codec.encode(trace)
    there = into / f"{_file_name(trace)}.json"
    if not there.exists():
        counts.new += 1
    elif _rank(codec.read(there)) > _rank(trace):
        counts.smaller += 1
    else:
        counts.known += 1
        return
    atomic_write(there, data)


def _file_name(trace: Trace) -> str:
    """The signature, which is data: it names a file only where it is one of ours."""
    name = trace.expected.signature
    if not (name.isascii() and name.isalnum() and len(name) <= 64):
        raise TraceError(f"the signature {plain(name, 60)!r} is none; use the original trace")
    return name


def _rank(trace: Trace) -> tuple[int, int, int, int, bytes]:
    """The smaller comes first; of equals always the same, whichever was met first."""
    program = trace.program
    operations = sum(map(len, program.tasks)) if isinstance(program, Operations) else 0
    needed = len(trace.necessity.preemptions) if trace.necessity is not None else len(trace.choices)
    return operations + len(trace.faults), needed, trace.expected.events, len(trace.choices), codec.encode(trace)
