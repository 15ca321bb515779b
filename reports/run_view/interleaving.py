"""The order of events that made a run fail, in a few lines for a person."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import TypeVar

from semafuzz.harness.kernel import event_kinds as op
from semafuzz.harness.kernel.locations import ITEM, coarse_key
from semafuzz.harness.kernel.naming import Namer, name_text
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.kernel.task import RawEvent, Task
from semafuzz.harness.search.racing_pair import racing_pair
from semafuzz.reports.run_view.names import ReadableNamer

Row = TypeVar("Row")
LINES = 12
_CHANGING = op.WRITES | {op.ACQUIRE, op.RELEASE}
_WORDS = {
    op.READ: "reads {}",
    op.WRITE: "writes {}",
    op.READ_ITEM: "reads {}",
    op.WRITE_ITEM: "writes {}",
    op.READ_ALL: "reads all of {}",
    op.WRITE_ALL: "changes {}",
    op.ACQUIRE: "takes {}",
    op.RELEASE: "releases {}",
    op.TRY: "tries {}",
    op.TIMEOUT: "gives up waiting for {}",
}


@dataclass(slots=True)
class _Line:
    task: str
    place: str
    acts: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    locations: set[tuple[int, object]] = field(default_factory=set)


def interleaving(outcome: Outcome, limit: int = LINES) -> list[str]:
    """What tasks did to the objects that they share, in order: a line for each
    stretch of one task at one place, at most about ``limit`` of them.

    Of a longer run the lines around the racing pair, those on its location, and the last ones
    are shown.
    """
    namer = ReadableNamer(outcome.events)
    waiting = [task for task in outcome.tasks if not task.done and is_deadlocked(outcome)]
    shared = shared_locations(outcome.events, waiting)
    lines: list[_Line] = []
    for step, event in enumerate(outcome.events):
        kind, task, subject, name, site = event
        if kind not in _WORDS or not site or location_of(event) not in shared:
            continue
        act = _WORDS[kind].format(named(namer, kind, subject, name))
        place = SITES[site].place()
        if not lines or (lines[-1].task, lines[-1].place) != (task.name, place):
            lines.append(_Line(task.name, place))
        if act not in lines[-1].acts[-2:]:
            lines[-1].acts.append(act)
        lines[-1].steps.append(step)
        lines[-1].locations.add(location_of(event))
    for task in waiting:
        kind, subject, name, site = task.pending
        if kind in _WORDS and site:
            act = f"waits for {named(namer, kind, subject, name)}"
            lines.append(_Line(task.name, SITES[site].place(), [act], [len(outcome.events)]))
    steps = racing_pair(outcome).steps
    between = {location_of(outcome.events[step]) for step in steps if 0 <= step < len(outcome.events)} & shared
    return _laid_out(_chosen(lines, steps, between, limit))


def location_of(event: RawEvent) -> tuple[int, object]:
    """What an event is on; the items of a container are one location."""
    kind, _, subject, name, _ = event
    return coarse_key(kind, subject, name)


def is_deadlocked(outcome: Outcome) -> bool:
    """Whether nothing could go on."""
    return any(failure.kind == "deadlock" for failure in outcome.failures)


def shared_locations(events: Sequence[RawEvent], waiting: Sequence[Task]) -> set[tuple[int, object]]:
    """The locations that several tasks touched, one of them changing it. ``waiting``: tasks
    that count with what they were about to do."""
    tasks: dict[tuple[int, object], set[int]] = {}
    changed: set[tuple[int, object]] = set()
    for event in events:
        if event[0] in _WORDS:
            location = location_of(event)
            tasks.setdefault(location, set()).add(event[1].index)
            if event[0] in _CHANGING:
                changed.add(location)
    for task in waiting:
        kind, subject, name, site = task.pending
        tasks.setdefault(location_of((kind, task, subject, name, site)), set()).add(task.index)
    return {location for location in changed if len(tasks[location]) > 1}


def named(namer: Namer, kind: int, subject: object, name: object) -> str:
    """``Account#1.balance`` or ``dict#2[h1]``."""
    owner, part = namer.name(subject), name_text(name)
    if kind in ITEM:
        return f"{owner}[{part}]"
    return f"{owner}.{part}" if part else owner


def _chosen(
    lines: list[_Line], steps: Sequence[int], between: Set[tuple[int, object]], limit: int
) -> list[_Line | int]:
    """The lines to show, and between them how many are left out. ``between``: locations of
    which at most ``limit`` more lines are shown, the last ones."""
    if len(lines) <= limit:
        return list(lines)
    wanted = set(range(len(lines) - limit // 3, len(lines)))
    pair = [number for number, line in enumerate(lines) if set(steps) & set(line.steps)]
    for number in pair:
        wanted |= {one for one in range(number - 1, number + 2) if 0 <= one < len(lines)}
    wanted.update([number for number, line in enumerate(lines) if line.locations & between][-limit:])
    return folded(lines, wanted)


def folded(rows: Sequence[Row], wanted: Set[int]) -> list[Row | int]:
    """The rows with these numbers, and between them how many are left out."""
    shown: list[Row | int] = []
    for number, row in enumerate(rows):
        if number in wanted:
            shown.append(row)
        elif shown and isinstance(shown[-1], int):
            shown[-1] += 1
        else:
            shown.append(1)
    return shown


def _laid_out(lines: list[_Line | int]) -> list[str]:
    widths = [
        max((len(getattr(line, part)) for line in lines if isinstance(line, _Line)), default=0)
        for part in ("task", "place")
    ]
    found = []
    for line in lines:
        if isinstance(line, int):
            found.append(f"({line} more)")
        else:
            acts = line.acts if len(line.acts) <= 4 else [*line.acts[:3], "...", line.acts[-1]]
            found.append(f"{line.task:<{widths[0]}}  {line.place:<{widths[1]}}  {', '.join(acts)}")
    return found
