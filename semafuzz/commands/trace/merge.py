"""``semafuzz merge``: what several searches found, in one folder.

Merging is copying: of two traces of one program with one signature the smaller stays. What a smaller program explains
goes into the folder ``explained``, by the rule by which one search of all of it would have passed it over: nothing is
lost. It makes no difference in which order folders are merged, or how often.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import msgspec

from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.commands.trace.list_traces import traces_in
from semafuzz.harness.errors import TraceError, UsageError
from semafuzz.harness.files.atomic_write import atomic_write, settle
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.schema import Operations, Trace
from semafuzz.reports.summaries import merge_summaries, read_summary
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.strategies.fuzz.dedup_across_runs import deduplicate

EXPLAINED = "explained"
"""The folder, in that of a merge, of what others explain."""


@dataclass(slots=True)
class _Counts:
    new: int = 0
    smaller: int = 0
    known: int = 0
    healed: int = 0


def run_merge(folders: tuple[Path, ...], into: Path) -> int:
    """Copy what the folders hold into one; the exit code."""
    found = [(folder, [*traces_in(folder), *_explained_in(folder)]) for folder in folders]
    target = usable_folder(into, "--into")
    counts, broken, explained = _Counts(), [], 0
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
        settle(target)
        try:
            explained = _set_aside(target)
        except (TraceError, UsageError) as error:
            broken.append(str(error))
    except OSError as error:
        raise UsageError(
            f"cannot write to {into} ({error.strerror}); make room, and merge again: what was merged stays"
        ) from None
    for text in broken:
        print(f"semafuzz: {plain(text)}", file=sys.stderr)
    print(
        f"{counts.new} new, {counts.smaller} in place of larger ones, {counts.known} known already"
        f"{f', {counts.healed} in place of damaged ones' if counts.healed else ''}"
        f"{f', {explained} explained by others' if explained else ''}; "
        f"`semafuzz report {plain(str(into))}` makes pages of them"
    )
    return 4 if broken else 0


def _merge(path: Path, into: Path, counts: _Counts) -> None:
    if any(_same(path, there / path.name) for there in (into, into / EXPLAINED)):
        counts.known += 1
        return
    trace = codec.read(path)
    data = codec.encode(trace)
    there = _place_of(trace, into)
    before = _whole(there)
    if before is None and there.exists():
        # What is no JSON any more is replaced by a whole one, and kept beside it.
        counts.healed += 1
        there.replace(there.with_name(f"{there.name}.damaged"))
    elif before is None:
        counts.new += 1
    elif _rank(before) > _rank(trace):
        counts.smaller += 1
    else:
        counts.known += 1
        return
    atomic_write(there, data, settled=False)


def _place_of(trace: Trace, into: Path) -> Path:
    """Where it is, or belongs. Of several programs that share a signature the first by name has the plain one,
    whichever was met first."""
    name, own = _file_name(trace), _subject(trace)
    tagged, plain_one = f"{name}-{_tag(own)}.json", f"{name}.json"
    there = _found(into, tagged)
    if there is not None:
        return there
    there = _found(into, plain_one)
    if there is None:
        return into / plain_one
    before = _whole(there)
    if before is None or _subject(before) == own:
        return there
    other = _subject(before)
    if own > other:
        return into / tagged
    there.replace(there.with_name(f"{name}-{_tag(other)}.json"))
    return into / plain_one


def _whole(path: Path) -> Trace | None:
    """The trace in a file; None where there is none, or what is there was cut or overwritten. TraceError for what is
    only not ours to read, such as one of a newer semafuzz."""
    try:
        return codec.read(path) if path.exists() else None
    except TraceError:
        try:
            msgspec.json.decode(path.read_bytes())
        except msgspec.DecodeError:
            return None
        except OSError:
            pass
        raise


def _found(into: Path, name: str) -> Path | None:
    return next((one for one in (into / name, into / EXPLAINED / name) if one.exists()), None)


def _subject(trace: Trace) -> str:
    """What was run, whatever it came to."""
    program = trace.program
    if isinstance(program, Operations):
        return f"{trace.target}\n{trace.release}"
    return f"{program.file}\n{program.function}"


def _tag(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "replace")).hexdigest()[:6]


def _same(path: Path, other: Path) -> bool:
    try:
        return path.stat().st_size == other.stat().st_size and path.read_bytes() == other.read_bytes()
    except OSError:
        return False


def _explained_in(folder: Path) -> list[Path]:
    return sorted((folder / EXPLAINED).glob("*.json"))


def _set_aside(into: Path) -> int:
    """Put what others explain into a folder of its own, and what nothing explains any more back; how many are there."""
    summary = read_summary(into)
    told = {one.signature: one for one in summary.result.failures} if summary is not None else {}
    groups: dict[tuple[str, str], list[Finding]] = {}
    for path in (*traces_in(into), *_explained_in(into)):
        signature = path.stem.partition("-")[0]
        trace = codec.read(path) if signature in told else None
        if trace is not None and isinstance(trace.program, Operations):
            found = replace(told[signature], trace=str(path))
            groups.setdefault((trace.target, trace.release), []).append(found)
    explained = 0
    for findings in groups.values():
        kept = {one.signature for one in deduplicate(findings, alike=inf)}
        explained += len(findings) - len(kept)
        for finding in findings:
            path = Path(finding.trace)
            place = (into if finding.signature in kept else into / EXPLAINED) / path.name
            if place != path:
                place.parent.mkdir(exist_ok=True)
                path.replace(place)
    return explained


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
