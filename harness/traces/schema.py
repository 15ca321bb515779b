"""The trace format.

History: 1 - first version. 2 - ``necessity``: which preemptions and faults the failure
needs. 3 - ``thorough``: calls of code that was not looked into are accesses; ``warm``: how often the
program ran before. All are read; 3 is written.

A trace names its target by registry key and its operations by the names in that
target's table. It holds no code, no import path and nothing that is evaluated.
A function checked from a file is named by the digest of that file; which file has
the digest is for the person who replays to say (or known from checking it here).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from semafuzz.harness.kernel.outcome import FailureKind, Model

FORMAT = 3
"""Increment with every change that an older reader would misread, and say so above."""
READABLE = (1, 2, 3)
"""The formats that are read, each exactly as it was written."""

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
    """A program that is one function of a file. ``renamed``: it ran under another name than the file's,
    which was a module's that others need; places and digests have that name."""

    file: Text
    function: Short
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    instrument: Annotated[tuple[Short, ...], Meta(max_length=64)] = ()
    renamed: bool = False


class Operations(Record, frozen=True, tag="operations"):
    """A program made of a target's operations: first ``setup``, one after the
    other, then ``tasks`` at the same time."""

    setup: Annotated[tuple[Operation, ...], Meta(max_length=64)]
    tasks: Annotated[tuple[Annotated[tuple[Operation, ...], Meta(max_length=64)], ...], Meta(max_length=64)]


class Expected(Record, frozen=True):
    """What the run came to. ``digest`` covers the whole event stream;
    ``places`` are for people."""

    kind: FailureKind
    message: Text
    signature: Short
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    events: Count
    error_type: Short = ""
    identity: Annotated[tuple[Text, ...], Meta(max_length=64)] = ()
    places: Annotated[tuple[Text, ...], Meta(max_length=64)] = ()
    detail: Annotated[tuple[Text, ...], Meta(max_length=256)] = ()


class Interruption(Record, frozen=True):
    """One preemption of the run: before event ``step``, ``task`` was about to do
    something at ``place``, and ``instead`` ran. ``needed``: where it goes on instead,
    and all else stays, the failure does not show. Tasks by number and by name."""

    step: Count
    task: TaskNumber
    task_name: Short
    place: Text
    instead: TaskNumber
    instead_name: Short
    needed: bool


class Necessity(Record, frozen=True):
    """What each preemption, in order, and each of ``Trace.faults`` came to when it was
    taken back alone. ``faults`` is empty where they were not checked."""

    preemptions: Annotated[tuple[Interruption, ...], Meta(max_length=100_000)] = ()
    faults: Annotated[tuple[bool, ...], Meta(max_length=64)] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is left that is not needed."""
        return all(one.needed for one in self.preemptions) and all(self.faults)


class Trace(Record, frozen=True, omit_defaults=True):
    """A whole trace. ``necessity`` (from format 2 on) is left out where it was not checked.
    ``thorough`` (from 3 on): how closely it was watched. ``warm`` (from 3 on): how often the program has to
    run before, in the same process, for the failure to show."""

    format: int
    target: Short
    release: Short
    model: Model
    program: Function | Operations
    seed: Count
    configuration: Annotated[dict[Short, Value], Meta(max_length=256)]
    faults: Annotated[tuple[Operation, ...], Meta(max_length=64)]
    words: Annotated[tuple[Text, ...], Meta(max_length=100_000)]
    choices: Annotated[tuple[Choice, ...], Meta(max_length=1_000_000)]
    expected: Expected
    versions: Annotated[dict[Short, Short], Meta(max_length=256)]
    hash_seed: Short
    necessity: Necessity | None = None
    thorough: bool = False
    warm: Annotated[int, Meta(ge=0, le=1000)] = 0
