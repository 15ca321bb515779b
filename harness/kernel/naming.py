"""Stable words for operations and objects: no addresses, no numbers of this process."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.locations import ITEM
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Pending, RawEvent, task_of
from semafuzz.harness.kernel.tokens import Token

_LIMIT = 60
_AS_NOTES = {op.OPERATION: "begin", op.OPERATION_END: "end"}


def name_text(name: object) -> str:
    """An attribute name or item key in short; the address of none."""
    if name is None:
        return ""
    if isinstance(name, str):
        return name[:_LIMIT].encode("utf-8", "backslashreplace").decode()
    if isinstance(name, (int, float, bool, bytes, tuple)):
        return repr(name)[:_LIMIT]
    return "?"


def subject_type(subject: object) -> str:
    """What kind of object it is."""
    if subject is None:
        return ""
    task = task_of(subject)
    if task is not None:
        return f"task {task.index}"
    if type(subject) is Token:
        return subject.kind_name
    lock = lock_of(subject)
    return (lock.label if lock is not None else "") or type(subject).__name__


def describe_pending(pending: Pending) -> str:
    """``read Counter.value at module:line``: what a task is about to do."""
    kind, subject, name, site = pending
    words = [op.KIND_NAMES[kind]]
    what = subject_type(subject)
    item = name_text(name)
    if what or item:
        words.append(f"{what}[{item}]" if kind in ITEM else f"{what}.{item}".strip("."))
    if site:
        words.append(f"in {SITES[site].function}")
    return " ".join(words)


class Namer:
    """Names objects by kind and order of first touch: ``Counter#1``."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._counts: dict[str, int] = {}

    def name(self, subject: object) -> str:
        """The name of ``subject``; the same object, the same name."""
        if subject is None:
            return ""
        task = task_of(subject)
        if task is not None:
            return f"task {task.index}"
        found = self._names.get(id(subject))
        if found is None:
            kind = subject_type(subject)
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            found = self._names[id(subject)] = f"{kind}#{number}"
        return found


def digest(events: Sequence[RawEvent]) -> str:
    """SHA-256 over the whole event stream, in words that are the same in every
    process and on every supported Python."""
    namer = Namer()
    sink = hashlib.sha256()
    for kind, task, subject, name, site in events:
        word = op.KIND_NAMES[kind]
        if kind in _AS_NOTES:
            # As they were recorded up to 0.1.0: digests in traces must stay what they are.
            word, name = "note", f"{_AS_NOTES[kind]} {name}"
        line = f"{word}|{task.index}|{namer.name(subject)}|{name_text(name)}|{SITES[site].function}\n"
        sink.update(line.encode("utf-8", "replace"))
    return sink.hexdigest()
