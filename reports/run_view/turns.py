"""A run told in a few lines: who ran from where to where."""

from __future__ import annotations

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent

LONGEST = 40
"""Lines of a story; what is in between is counted."""


def turns(outcome: Outcome, *, without: int = -1) -> list[str]:
    """One line for each stretch in which one task ran: its operations, and what it did
    last. ``without``: the number of a task that is not part of the story."""
    lines: list[str] = []
    under_way: dict[int, str] = {}
    stretch: list[RawEvent] = []
    for event in [one for one in outcome.events if one[1].index != without]:
        if stretch and event[1] is not stretch[0][1]:
            lines.append(_tell(stretch, under_way))
            stretch = []
        stretch.append(event)
    if stretch:
        lines.append(_tell(stretch, under_way))
    if len(lines) > LONGEST:
        half = LONGEST // 2
        lines = [*lines[:half], f"... {len(lines) - 2 * half} more stretches ...", *lines[-half:]]
    return lines


def _tell(stretch: list[RawEvent], under_way: dict[int, str]) -> str:
    task = stretch[0][1]
    known = under_way.get(task.index)
    named = [known] if known else []
    for kind, _, _, name, _ in stretch:
        if kind == op.OPERATION:
            named.append(str(name))
            under_way[task.index] = str(name)
        elif kind == op.OPERATION_END:
            under_way.pop(task.index, None)
    last = stretch[-1]
    done = last[0] in (op.END, op.OPERATION_END)
    where = "to the end" if done else f"up to {_event(last)}"
    operations = ", ".join(dict.fromkeys(named)) or "runs"
    return f"{task.name}: {operations} {where}"


def _event(event: RawEvent) -> str:
    kind, _, subject, name, site = event
    what = op.KIND_NAMES[kind]
    about = name if isinstance(name, str) else type(subject).__name__ if subject is not None else ""
    place = f" at {SITES[site].place()}" if site else ""
    return f"{what} {about}".strip() + place
