"""The trace format.

History: 1 - first version.

A trace names its target by registry key and its operations by the names in that
target's table. It holds no code, no import path and nothing that is evaluated.
A function checked from a file is named by the digest of that file; which file has
the digest is for the person who replays to say (or known from checking it here).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

FORMAT = 1
"""Increment with every change that an older reader would misread, and say so above."""

Short = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=4096)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
TaskNumber = Annotated[int, Meta(ge=-1, le=4096)]
Value = str | int | bool | float | None


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all parts: unknown fields are refused."""


class Operation(Record, frozen=True):
    """One operation by its name in the target's table, with plain arguments."""

    name: Short
    arguments: Annotated[
        dict[Short, Annotated[str, Meta(max_length=200)] | int | bool | None], Meta(max_length=32)
    ] = {}


class Choice(Record, frozen=True):
    """One decision. ``pending`` indexes ``Trace.words``, one entry for each of
    ``enabled``; ``yielded``: the running task had used up its quantum."""

    step: Count
    chosen: TaskNumber
    enabled: Annotated[tuple[TaskNumber, ...], Meta(max_length=4096)]
    pending: Annotated[tuple[Count, ...], Meta(max_length=4096)]
    yielded: bool = False


class Function(Record, frozen=True, tag="function"):
    """A program that is one function of a file."""

    file: Text
    function: Short
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    instrument: Annotated[tuple[Short, ...], Meta(max_length=64)] = ()


class Operations(Record, frozen=True, tag="operations"):
    """A program made of a target's operations: first ``setup``, one after the
    other, then ``tasks`` at the same time."""

    setup: Annotated[tuple[Operation, ...], Meta(max_length=64)]
    tasks: Annotated[tuple[Annotated[tuple[Operation, ...], Meta(max_length=64)], ...], Meta(max_length=64)]


class Expected(Record, frozen=True):
    """What the run came to. ``digest`` covers the whole event stream;
    ``places`` are for people."""

    kind: Short
    message: Text
    signature: Short
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    events: Count
    error_type: Short = ""
    identity: Annotated[tuple[Text, ...], Meta(max_length=64)] = ()
    places: Annotated[tuple[Text, ...], Meta(max_length=64)] = ()
    detail: Annotated[tuple[Text, ...], Meta(max_length=256)] = ()


class Trace(Record, frozen=True):
    """A whole trace."""

    format: int
    target: Short
    release: Short
    model: Annotated[str, Meta(pattern="^(threads|eventlet|trio)$")]
    program: Function | Operations
    seed: Count
    configuration: Annotated[dict[Short, Value], Meta(max_length=256)]
    faults: Annotated[tuple[Operation, ...], Meta(max_length=64)]
    words: Annotated[tuple[Text, ...], Meta(max_length=100_000)]
    choices: Annotated[tuple[Choice, ...], Meta(max_length=1_000_000)]
    expected: Expected
    versions: Annotated[dict[Short, Short], Meta(max_length=256)]
    hash_seed: Short
