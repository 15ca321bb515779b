"""Lock discipline by method: what executions have shown of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semafuzz.harness.detectors.discipline.detector import LockDiscipline
from semafuzz.harness.kernel.sites import SITES

UNGUARDED, GUARDED, READS, NEVER = "seen unguarded", "always guarded", "only reads", "never executed"
_ORDER = (UNGUARDED, GUARDED, READS, NEVER)


@dataclass(frozen=True, slots=True)
class MethodRow:
    """What was seen of one public method.

    ``status``: ``seen unguarded`` (some write to guarded state without the lock),
    ``always guarded`` (it wrote, under the lock every time), ``only reads`` (it ran
    and changed nothing that is guarded), ``never executed``: nothing is known of it.
    ``writes``: all writes to guarded state while it was under way, its callees'
    included; ``unguarded``: those without the lock, the first of which stands at
    ``place``. Writes in a method that another one calls count for both.
    """

    method: str
    status: str
    calls: int
    writes: int
    unguarded: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class DisciplineTable:
    """The rows, the worst first, and what they rest on. ``subject``: the class and
    the release; ``executions``: how many were watched."""

    subject: str
    lock: str
    executions: int
    rows: tuple[MethodRow, ...]


def discipline_table(discipline: LockDiscipline, release: str) -> DisciplineTable:
    """What was seen so far. ``release``: target and release, for the heading."""
    policy, tally = discipline.policy, discipline.tally
    names = list(policy.methods())
    if tally.guarded[""] or tally.unguarded[""]:
        names.append("")
    rows = [_row(discipline, name) for name in names]
    rows.sort(key=lambda row: (_ORDER.index(row.status), row.method))
    subject = f"{policy.guarded.__name__} ({release})"
    return DisciplineTable(subject, policy.lock, tally.executions, tuple(rows))


def joined_tables(tables: Sequence[DisciplineTable]) -> DisciplineTable:
    """What several searches of one target have seen together."""
    rows: dict[str, MethodRow] = {}
    for row in (row for table in tables for row in table.rows):
        other = rows.get(row.method)
        rows[row.method] = row if other is None else _together(other, row)
    ordered = sorted(rows.values(), key=lambda row: (_ORDER.index(row.status), row.method))
    return replace(tables[0], executions=sum(table.executions for table in tables), rows=tuple(ordered))


def _together(one: MethodRow, other: MethodRow) -> MethodRow:
    return MethodRow(
        one.method,
        min(one.status, other.status, key=_ORDER.index),
        one.calls + other.calls,
        one.writes + other.writes,
        one.unguarded + other.unguarded,
        one.place or other.place,
    )


def _row(discipline: LockDiscipline, name: str) -> MethodRow:
    tally = discipline.tally
    guarded, unguarded, calls = tally.guarded[name], tally.unguarded[name], tally.calls[name]
    status = UNGUARDED if unguarded else GUARDED if guarded else READS if calls else NEVER
    place = SITES[tally.first[name]].place() if unguarded else ""
    label = name.rpartition(".")[2] or "(outside its methods)"
    return MethodRow(label, status, calls, guarded + unguarded, unguarded, place)
