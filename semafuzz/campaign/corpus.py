"""Corpus: findings with their traces, kept from night to night.

One folder, ``findings/``, with two files for each: the trace as it replays, and a record
beside it. Both are whole or absent; a record without its trace counts as absent, so that
who deletes a trace has forgotten the finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from semafuzz.harness.errors import TraceError, UsageError
from semafuzz.harness.files.atomic_write import TEMPORARY, atomic_write
from semafuzz.harness.files.bounded_read import read_record
from semafuzz.harness.files.lock_file import locked
from semafuzz.harness.kernel.outcome import FailureKind, Severity
from semafuzz.harness.traces.codec import read

Text = Annotated[str, Meta(max_length=20_000)]
Short = Annotated[str, Meta(max_length=500)]
MAX_BYTES = 1 << 20
"""Of a record."""

State = Literal["kept", "gone"]


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that is remembered. ``state``: whether it showed when it was replayed last;
    ``found``: the night that met it first, ``changed``: the one in which its state changed;
    ``why``: of one that is gone, how that is known; ``since``: the date of the night that met it first; ``cause``: what
    other programs of the same defect have in common with it, "" where nobody can say."""

    target: Short
    release: Short
    signature: Short
    kind: FailureKind
    severity: Severity
    message: Text
    program: Text
    operations: Annotated[tuple[Short, ...], Meta(max_length=256)]
    found: Short
    state: State = "kept"
    changed: Short = ""
    why: Text = ""
    since: Short = ""
    cause: Text = ""

    @property
    def name(self) -> str:
        """The name of its files, without ending: no text of a target gets into a path."""
        told = "\n".join((self.target, self.release, self.signature))
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]


class Corpus:
    """The findings in a folder. Nothing here runs a trace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._findings = folder / "findings"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else uses this corpus in the block. UsageError where somebody does; who is
        killed holds it no longer."""
        with ExitStack() as stack:
            try:
                self._findings.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self.folder / ".lock", f"the corpus {self.folder}"))
            except OSError as error:
                raise UsageError(f"cannot write to {self.folder} ({error.strerror}); give another --corpus") from None
            for left in self._findings.glob(f"{TEMPORARY}*"):
                # Whoever wrote it was killed: nobody else is here.
                left.unlink(missing_ok=True)
            yield

    def trace_of(self, known: Known) -> Path:
        """The trace of a finding."""
        return self._findings / f"{known.name}.trace.json"

    def all(self) -> list[Known]:
        """Every finding whose trace is there, by name. UsageError for a record that is none."""
        found = []
        for path in sorted(self._findings.glob("*.known.json")):
            known = read_record(path, Known, MAX_BYTES, "delete it, its finding will be met again")
            if known.name != path.name.partition(".")[0]:
                raise UsageError(f"{path} is not the record of that name; delete it, its finding will be met again")
            if self.trace_of(known).is_file():
                found.append(known)
        return found

    def check(self) -> None:
        """Read every record and trace once. UsageError that names what is damaged: better
        before a night than after it."""
        for known in self.all():
            try:
                read(self.trace_of(known))
            except TraceError as error:
                path = self.trace_of(known)
                raise UsageError(f"{error}; delete {path}, its finding will be met again") from None

    def add(self, known: Known, trace: Path) -> None:
        """Remember a finding, or replace what is known of it. The trace is copied first."""
        atomic_write(self.trace_of(known), trace.read_bytes())
        self.note(known)

    def note(self, known: Known) -> None:
        """Replace the record of a finding whose trace stays."""
        atomic_write(self._findings / f"{known.name}.known.json", msgspec.json.encode(known))
