"""Stable words for operations and objects: no addresses, no numbers of this process."""

from __future__ import annotations

import hashlib
import re
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.address import address
from semafuzz.harness.kernel.locations import ITEM
from semafuzz.harness.kernel.lockable import lock_of
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import Pending, RawEvent, task_of
from semafuzz.harness.kernel.tokens import Token

_LIMIT = 60
_ADDRESSES = 1 << 32
"""Whole numbers from here on may be addresses (``in_use[id(connection)]``), which differ from process
to process: none of them is written down."""
_NUMBER = "a large number"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_AS_NOTES = {op.OPERATION: "begin", op.OPERATION_END: "end"}


def name_text(name: Any) -> str:
    """An attribute name or item key in short; the address of none."""
    if name is None:
        return ""
    kind = type(name)
    if issubclass(kind, str):
        text = str.__str__(name)[:_LIMIT].encode("utf-8", "backslashreplace").decode()
        return _ADDRESS.sub("0x...", text) if "0x" in text else text
    if kind is int:
        return str(name) if abs(name) < _ADDRESSES else _NUMBER
    if kind is tuple:
        return _tuple_text(name)
    if kind in (float, bool, bytes):
        return repr(name)[:_LIMIT]
    return "?"


def _tuple_text(name: tuple[Any, ...]) -> str:
    if any(type(part) is int and abs(part) >= _ADDRESSES for part in name):
        return f"({', '.join(name_text(part) for part in name)})"[:_LIMIT]
    return repr(name)[:_LIMIT]


_made_as: dict[int, tuple[Callable[[], object], str]] = {}
"""Objects that were given another class, by ``id``: the way to each, and the name of the class before. A name that
is asked for during a run and one that is asked for after it are the same."""
_MOST_MADE_AS = 1000


def note_other_class(subject: object) -> None:
    """``subject`` is about to be given another class: it keeps the name that it has."""
    if len(_made_as) >= _MOST_MADE_AS:
        _made_as.clear()
    name = subject_type(subject)
    try:
        _made_as[address(subject)] = weakref.ref(subject), name
    except TypeError:
        _made_as[address(subject)] = (lambda: subject), name


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
    if lock is not None and lock.label:
        return lock.label
    if _made_as and address(subject) in _made_as:
        same, name = _made_as[address(subject)]
        if same() is subject:
            return name
    return type(subject).__name__


def describe_pending(pending: Pending) -> str:
    """``read Counter.value at module:line``: what a task is about to do."""
    kind, subject, name, site = pending
    words = [op.KIND_NAMES[kind]]
    what = subject_type(subject)
    # A thread's name may come from a counter that goes on from run to run.
    item = "" if kind == op.SPAWN else name_text(name)
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
        found = self._names.get(address(subject))
        if found is None:
            kind = subject_type(subject)
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
            found = self._names[address(subject)] = f"{kind}#{number}"
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
