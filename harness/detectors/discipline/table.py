"""Lock discipline by method: what executions have shown of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from semafuzz.harness.detectors.discipline.policy import LockPolicy
from semafuzz.harness.detectors.discipline.run import Tally
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.sections.section import Row, Section

SECTION = "lock_discipline"
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

    def row(self) -> Row:
        """As a row of the section."""
        details = (f"{self.unguarded:,} without the lock, first at", self.place) if self.place else ()
        return Row((self.method, self.status, self.writes), details=details, data=asdict(self))


def discipline_section(policy: LockPolicy, tally: Tally, subject: str) -> Section:
    """What was seen so far. ``subject``: target and release, for the heading."""
    names = list(policy.methods())
    if tally.guarded[""] or tally.unguarded[""]:
        names.append("")
    title = f"Lock discipline of {policy.guarded.__name__}" + (f" ({subject})" if subject else "")
    return _section(title, policy.lock, tally.executions, [_method_row(tally, name) for name in names])


def merged_discipline(sections: Sequence[Section]) -> Section:
    """What several searches of one target have seen together."""
    rows: dict[str, MethodRow] = {}
    for row in (MethodRow(**row.data) for section in sections for row in section.rows):
        other = rows.get(row.method)
        rows[row.method] = row if other is None else _together(other, row)
    first = sections[0]
    lock = first.lines[0].removeprefix("under ").partition(", as seen in ")[0]
    return _section(first.title, lock, sum(section.executions for section in sections), list(rows.values()))


def _section(title: str, lock: str, executions: int, rows: Sequence[MethodRow]) -> Section:
    ordered = sorted(rows, key=lambda row: (_ORDER.index(row.status), row.method))
    return Section(
        SECTION,
        title,
        executions,
        tuple(row.row() for row in ordered),
        ("method", "lock", "writes"),
        (f"under {lock}, as seen in {executions:,} executions:",),
    )


def _together(one: MethodRow, other: MethodRow) -> MethodRow:
    return MethodRow(
        one.method,
        min(one.status, other.status, key=_ORDER.index),
        one.calls + other.calls,
        one.writes + other.writes,
        one.unguarded + other.unguarded,
        one.place or other.place,
    )


def _method_row(tally: Tally, name: str) -> MethodRow:
    guarded, unguarded, calls = tally.guarded[name], tally.unguarded[name], tally.calls[name]
    status = UNGUARDED if unguarded else GUARDED if guarded else READS if calls else NEVER
    place = SITES[tally.first[name]].place() if unguarded else ""
    label = name.rpartition(".")[2] or "(outside its methods)"
    return MethodRow(label, status, calls, guarded + unguarded, unguarded, place)
