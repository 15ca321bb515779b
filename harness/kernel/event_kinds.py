"""The kinds of operation that a task can announce or perform.

A *raw event* is the tuple ``(kind, task, subject, name, site)``: what was
done, by which :class:`~semafuzz.harness.kernel.task.Task`, to which object, under which
attribute or item name, at which code place (an index into
:data:`semafuzz.harness.kernel.sites.SITES`).  Raw events are what the kernel records
because a tuple costs a tenth of a class instance.

Plain integers instead of an ``enum.IntEnum``: the comparison is in the hot
path of every instrumented access and the enum triples its cost.
"""

from __future__ import annotations

from typing import Final

from semafuzz.harness.kernel import event_kinds as op

READ: Final = 0
WRITE: Final = 1
READ_ITEM: Final = 2
WRITE_ITEM: Final = 3
READ_ALL: Final = 4
WRITE_ALL: Final = 5
ACQUIRE: Final = 6
RELEASE: Final = 7
TRY: Final = 8
SPAWN: Final = 9
BEGIN: Final = 10
END: Final = 11
JOIN: Final = 12
SLEEP: Final = 13
YIELD: Final = 14
CLOCK: Final = 15
TIMEOUT: Final = 16
IO: Final = 17
ENTER: Final = 18
EXIT: Final = 19
LOOP: Final = 20
NOTE: Final = 21
CALL: Final = 22
RETURN: Final = 23
OPERATION: Final = 24
OPERATION_END: Final = 25

KIND_NAMES: Final[tuple[str, ...]] = (
    "read",
    "write",
    "read-item",
    "write-item",
    "read-all",
    "write-all",
    "acquire",
    "release",
    "try-acquire",
    "spawn",
    "begin",
    "end",
    "join",
    "sleep",
    "yield",
    "clock",
    "timeout",
    "io",
    "enter",
    "exit",
    "loop",
    "note",
    "call",
    "return",
    "operation",
    "operation-end",
)
"""Names by kind, as they stand in traces.  Append only: traces depend on them.

``operation`` and ``operation-end``: an operation of a target begins and ends in a task; the
name of the event is the operation as a person reads it, such as ``claim(1)``."""

KIND_NUMBERS: Final[dict[str, int]] = {name: number for number, name in enumerate(KIND_NAMES)}

MEMORY: Final = frozenset({READ, WRITE, READ_ITEM, WRITE_ITEM, READ_ALL, WRITE_ALL})
"""Accesses to shared data, as against synchronisation, time and I/O."""

WRITES: Final = frozenset({WRITE, WRITE_ITEM, WRITE_ALL})
"""Memory accesses that change their location."""

PROGRESS: Final = frozenset({WRITE, WRITE_ITEM, WRITE_ALL, ACQUIRE, RELEASE, SPAWN, BEGIN, END, JOIN, IO})
"""Events after which a waiting loop may come out differently; a run of
scheduling points without any of them is a livelock."""


GIVES_WAY = frozenset({op.SLEEP, op.YIELD, op.JOIN})
"""Operations at which a task lets others run by itself."""
