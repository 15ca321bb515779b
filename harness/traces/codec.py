"""Reading and writing traces: deterministic bytes out, strict and bounded in.

Reading back is exact: a document that is not byte for byte what we would write
(duplicate keys, other spacing, numbers in another notation) is refused, so one
trace has one form.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import msgspec

from semafuzz.harness.errors import TraceError
from semafuzz.harness.files.atomic_write import atomic_write, printable
from semafuzz.harness.traces.old_names import renewed
from semafuzz.harness.traces.schema import READABLE, Necessity, Trace

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 24
LARGE = 1 << 20
"""Bytes up to which it does not matter for the memory how a document is laid out."""


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""One that never ends takes all that follows."""
_COMMA_IN_LINE = re.compile(rb",[^\n]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class _Head(msgspec.Struct):
    format: int


def encode(trace: Trace) -> bytes:
    """The canonical bytes of a trace: sorted keys, two spaces, a final newline."""
    packed = msgspec.json.encode(trace, order="sorted")
    return msgspec.json.format(packed, indent=1) + b"\n"


def decode(data: bytes, source: str = "the trace") -> Trace:
    """The trace in ``data``. ``source`` names it in messages.

    Raises TraceError: too large, too deep, not JSON, another format version,
    a field that is missing, unknown or of the wrong kind, not canonical.
    """
    if len(data) > MAX_BYTES:
        raise TraceError(f"{source} is larger than {MAX_BYTES >> 20} MiB; it is not a trace of semafuzz")
    depth, laid_out = _shape(data)
    if depth > MAX_DEPTH:
        raise TraceError(f"{source} is nested more than {MAX_DEPTH} deep; it is not a trace of semafuzz")
    try:
        head = msgspec.json.decode(data, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TraceError(
            f"{source} is not a trace of semafuzz ({printable(error)}); give the file that a finding names"
        ) from None
    if head.format not in READABLE:
        formats = ", ".join(str(number) for number in READABLE)
        raise TraceError(
            f"{source} has trace format {head.format}, this semafuzz reads {formats}; use the version that wrote it"
        )
    if len(data) > LARGE and not laid_out:
        # Small parts without space between them would take a dozen times their size in memory.
        raise TraceError(f"{source} was changed by something else (it is not in canonical form); use the original")
    try:
        trace = msgspec.json.decode(data, type=Trace)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TraceError(f"{source} is broken ({printable(error)}); make it again from the run that found it") from None
    _check(trace, source)
    if encode(trace) != data:
        raise TraceError(f"{source} was changed by something else (it is not in canonical form); use the original")
    return renewed(trace)


def _shape(data: bytes) -> tuple[int, bool]:
    """The deepest nesting, counted without a parser, with strings skipped; and whether each
    comma ends its line."""
    depth = deepest = 0
    laid_out, at = True, 0
    # Piece by piece: what has millions of strings must not be held twice.
    for string in itertools.chain(_STRING.finditer(data), (None,)):
        bare = data[at : len(data) if string is None else string.start()]
        if laid_out and b"," in bare:
            ends_in_line = string is not None and bare.endswith(b",")
            laid_out = not ends_in_line and _COMMA_IN_LINE.search(bare) is None
        for byte in bare.translate(None, _NO_BRACKETS):
            if byte in b"[{":
                depth += 1
                deepest = max(deepest, depth)
                if depth > MAX_DEPTH:
                    return deepest, laid_out
            else:
                depth -= 1
        at = len(data) if string is None else string.end()
    return deepest, laid_out


def _broken(source: str, what: str) -> TraceError:
    return TraceError(f"{source} is broken: {what}; use the original")


def _check(trace: Trace, source: str) -> None:
    if trace.necessity is not None:
        if trace.format < 2:
            raise _broken(source, f"format {trace.format} has no field `necessity`")
        _check_necessity(trace, trace.necessity, source)
    if trace.format < 3 and (trace.thorough or trace.warm):
        raise _broken(source, f"format {trace.format} has no fields `thorough` and `warm`")
    last = -1
    for choice in trace.choices:
        if choice.step <= last:
            raise _broken(source, f"its choices are out of order at step {choice.step}")
        last = choice.step
        if len(choice.pending) != len(choice.enabled) or choice.chosen not in choice.enabled:
            raise _broken(source, f"the choice at step {choice.step} contradicts itself")
        if any(word >= len(trace.words) for word in choice.pending):
            raise _broken(source, f"the choice at step {choice.step} names an operation that it lacks")


def _check_necessity(trace: Trace, necessity: Necessity, source: str) -> None:
    if necessity.faults and len(necessity.faults) != len(trace.faults):
        raise _broken(source, f"it judges {len(necessity.faults)} faults and has {len(trace.faults)}")
    choices = {choice.step: choice for choice in trace.choices}
    for one in necessity.preemptions:
        choice = choices.get(one.step)
        if choice is None or one.task not in choice.enabled or one.instead != choice.chosen or one.task == one.instead:
            raise _broken(source, f"it has no preemption at step {one.step}")


def read(path: Path) -> Trace:
    """The trace in a file; raises TraceError with what to do."""
    try:
        if path.is_dir():
            raise TraceError(f"{path} is a folder; give a trace file in it")
        if path.exists() and not path.is_file():
            raise TraceError(f"{path} is no file that holds something; give a trace file")
        with path.open("rb") as file:
            # What grows while it is read, or claims to be small, is cut as well.
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise TraceError(f"there is no trace {path}; look for .json files in the folder given by --out") from None
    except OSError as error:
        raise TraceError(f"cannot read {path}: {error.strerror}; check its permissions") from None
    return decode(data, str(path))


def write(trace: Trace, path: Path) -> Path:
    """Write a trace so that the file is either whole or absent.

    Raises OSError where the disk refuses; nothing is overwritten then.
    """
    return atomic_write(path, encode(trace))
