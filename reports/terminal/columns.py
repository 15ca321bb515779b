"""The interleaving of a run on a terminal: a column for each task that takes part, one below a hundred
characters of width."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from semafuzz.reports.run_view.facts import is_notification
from semafuzz.reports.run_view.interleaving import folded
from semafuzz.reports.run_view.schema import Raised, Run, Step, Unheard
from semafuzz.reports.run_view.standard_library import is_of_standard_library
from semafuzz.reports.run_view.variables import variables_in

NARROW = 100
"""Characters of width below which there is one column."""
MOST_TASKS = 4
MOST_ACTS = 6
ROWS = 24
AROUND = 4
"""Rows around those that race, and at the end, that are always shown of a longer run."""
_READS = frozenset({"read", "read-item", "read-all"})
_WRITES = frozenset({"write", "write-item", "write-all"})
_UNNAMED = re.compile(r"(?:R?Lock|WaiterLock)#\d+")
_ARROW = "\N{RIGHTWARDS ARROW}"
_PREEMPTED = "\N{BOX DRAWINGS LIGHT TRIPLE DASH HORIZONTAL} preempted"


@dataclass(slots=True)
class _Row:
    task: int
    place: str
    source: str = ""
    acts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    preempted: bool = False

    def texts(self) -> list[str]:
        """Where, with the line of the program, and what."""
        acts = self.acts if len(self.acts) <= MOST_ACTS else [*self.acts[: MOST_ACTS - 1], "...", self.acts[-1]]
        what = "; ".join(acts)
        return [f"{self.place}  {self.source}".rstrip(), f"  {what}"] if self.place else [what]


def interleaving_lines(run: Run, width: int, sources: Mapping[str, str]) -> list[str]:
    """What the tasks did to what they share, in order, at most ``width`` characters wide. ``sources``: lines of the
    program by place. Texts are as the target has them: whoever prints them makes them plain."""
    rows = _rows(run, sources)
    if not rows:
        return []
    numbers = sorted({row.task for row in rows})
    names = {lane.number: lane.name for lane in run.lanes}
    shown = _chosen(rows, run.pair)
    if width < NARROW or len(numbers) > MOST_TASKS:
        return _in_one_column(shown, names, width)
    return _in_columns(shown, numbers, _with_operations(run, names), width)


def _with_operations(run: Run, names: Mapping[int, str]) -> dict[int, str]:
    """The names of tasks with what they do, where a target's operations are known."""
    found = {}
    for number, name in names.items():
        operations = ", ".join(dict.fromkeys(span.name for span in run.operations if span.task == number))
        found[number] = f"{name}: {operations}" if operations else name
    return found


def _rows(run: Run, sources: Mapping[str, str]) -> list[_Row]:
    rows: list[_Row] = []
    preempted = {switch.step: switch for switch in run.switches if switch.preemption and switch.needed != "no"}
    due = sorted(preempted)
    raised = {one.task: one for one in run.raised}
    unheard = list(run.unheard)
    # Nobody races with what was done before anybody was started.
    begun = min((step.number for step in run.steps if step.kind == "spawn"), default=0)
    changed = {_location(run, step) for step in run.steps if step.number >= begun and step.kind in _WRITES}
    for step in run.steps:
        while unheard and unheard[0].step <= step.number:
            rows.append(_unheard(run, unheard.pop(0), sources))
        if step.kind == "end" and step.task in raised:
            _add_failing(rows, _failing(run, raised.pop(step.task), step.number, sources))
            continue
        while due and due[0] <= step.number:
            switch = preempted[due.pop(0)]
            rows.append(_Row(switch.task, "", "", [_PREEMPTED], [switch.step], preempted=True))
        whole = run.texts[step.place] if step.place >= 0 else ""
        if step.number < begun or not (step.shared or step.kind == "timeout") or is_of_standard_library(whole):
            continue
        if step.kind in _READS and _location(run, step) not in changed:
            continue  # what nobody changes once it was made
        if step.kind in ("acquire", "release", "try-acquire") and _is_of_a_library(run, step, sources.get(whole, "")):
            continue
        place = whole.partition(" ")[0]
        last = rows[-1] if rows else None
        if last is None or last.preempted or (last.task, last.place) != (step.task, place):
            rows.append(last := _Row(step.task, place, sources.get(whole, "")))
        act = _act(run, step)
        if step.kind == "write-all" and last.acts and last.acts[-1].startswith(f"writes {run.texts[step.what]}["):
            last.numbers.append(step.number)
            continue  # a new key: the item says it
        if not last.acts or last.acts[-1] != act:
            last.acts.append(act)
        last.numbers.append(step.number)
    while rows and rows[-1].preempted:
        rows.pop()
    taking_part = {row.task for row in rows if not row.preempted}
    return [row for row in rows if row.task in taking_part]


def _whole(run: Run, step: Step) -> str:
    """The object or attribute of a step; of an item its container."""
    return run.texts[step.what].partition("[")[0] if step.what >= 0 else ""


def _location(run: Run, step: Step) -> tuple[bool, str]:
    """What a step is on. An attribute and the container that it holds may have one name."""
    return step.kind in ("read", "write"), _whole(run, step)


def _is_of_a_library(run: Run, step: Step, line: str) -> bool:
    """Whether a lock has no name in the program, and is taken inside of what the line calls."""
    return _UNNAMED.fullmatch(_whole(run, step)) is not None and bool(line) and not variables_in(step.kind, line)


def _add_failing(rows: list[_Row], failing: _Row) -> None:
    last = rows[-1] if rows else None
    if is_of_standard_library(failing.place):
        # Where the program called it: the last line of the task that is one of the program.
        called = next((row for row in reversed(rows) if row.task == failing.task and not row.preempted), None)
        if called is not None:
            failing.place, failing.source = called.place, called.source
    if last is None or last.preempted or (last.task, last.place) != (failing.task, failing.place):
        rows.append(failing)
    else:
        last.acts += failing.acts


def _unheard(run: Run, unheard: Unheard, sources: Mapping[str, str]) -> _Row:
    whole = run.texts[unheard.place]
    act = f"notifies {run.texts[unheard.what]}: nobody waits"
    return _Row(unheard.task, whole.partition(" ")[0], sources.get(whole, ""), [act], [unheard.step])


def _failing(run: Run, raised: Raised, number: int, sources: Mapping[str, str]) -> _Row:
    """The end of a task by an exception. Of an assertion what stood in it is told, since its text is the line."""
    whole = run.texts[raised.place]
    what = run.texts[raised.what] if raised.what >= 0 else "an exception"
    where = raised.assertion.partition(", where ")[2]
    act = f"fails, since {where}" if where else "fails" if raised.assertion else f"raises {what}"
    return _Row(raised.task, whole.partition(" ")[0], sources.get(whole, ""), [act], [number])


def _act(run: Run, step: Step) -> str:
    what = run.texts[step.what] if step.what >= 0 else "?"
    before = run.texts[step.before] if step.before >= 0 else ""
    after = run.texts[step.after] if step.after >= 0 else ""
    change = f" {before} {_ARROW} {after}" if before and after else ""
    value = f" = {before}" if before else ""
    words = {
        "read": f"reads {what}{value}",
        "read-item": f"reads {what}{value}",
        "read-all": f"reads all of {what}{value}",
        "write": f"writes {what}{change}",
        "write-item": f"writes {what}{change}",
        "write-all": f"changes {what}{change}",
        "acquire": f"takes {what}",
        "release": f"releases {what}",
        "try-acquire": f"tries {what}",
        "timeout": "its time runs out" if is_notification(what) else f"its time runs out waiting for {what}",
        "enter": f"enters {what}",
        "exit": f"leaves {what}",
    }
    if step.kind == "waits":
        holder = next((span.task for span in run.holds if span.open and span.name == what), None)
        name = next((lane.name for lane in run.lanes if lane.number == holder), "")
        if is_notification(what):
            return "waits for a notification"
        joined = next((lane.name for lane in run.lanes if what == f"task {lane.number}"), "")
        if joined:
            return f"waits for the end of {joined}"
        return f"waits for {what}" + (f", held by {name}" if name and holder != step.task else "")
    return words.get(step.kind, f"{step.kind} {what}")


def _chosen(rows: Sequence[_Row], pair: Sequence[int]) -> list[_Row | int]:
    """The rows to show, and between them how many are left out."""
    if len(rows) <= ROWS:
        return list(rows)
    marked = [place for place, row in enumerate(rows) if set(row.numbers) & set(pair) or row.preempted]
    wanted = set(range(len(rows) - AROUND, len(rows)))
    for place in [*marked[:2], *marked[-2:]]:
        wanted |= set(range(place - AROUND, place + AROUND))
    return folded(rows, wanted)


def _in_one_column(rows: Sequence[_Row | int], names: dict[int, str], width: int) -> list[str]:
    label = min(20, max(len(names.get(row.task, "")) for row in rows if isinstance(row, _Row)))
    lines = []
    for row in rows:
        if isinstance(row, int):
            lines.append(f"{'':<{label}}  ({row} more)")
            continue
        parts = [part for text in row.texts() for part in _wrapped(text, max(20, width - label - 2))]
        name = names.get(row.task, "")[:label]
        lines += [f"{name if number == 0 else '':<{label}}  {part}" for number, part in enumerate(parts)]
    return lines


def _in_columns(rows: Sequence[_Row | int], numbers: Sequence[int], names: dict[int, str], width: int) -> list[str]:
    each = (width - 3 * (len(numbers) - 1)) // len(numbers)

    def line(texts: dict[int, str]) -> str:
        return " \N{BOX DRAWINGS LIGHT VERTICAL} ".join(
            f"{texts.get(number, ''):<{each}}" for number in numbers
        ).rstrip()

    heads = [_wrapped(names.get(number, ""), each) for number in numbers]
    lines = [line(dict(zip(numbers, parts, strict=True))) for parts in zip_longest(*heads, fillvalue="")]
    rule = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
    widths = [each + 1 + (0 < place < len(numbers) - 1) for place in range(len(numbers))]
    lines.append("\N{BOX DRAWINGS LIGHT VERTICAL AND HORIZONTAL}".join(rule * one for one in widths))
    for row in rows:
        if isinstance(row, int):
            lines.append(f"({row} more)")
            continue
        lines += [line({row.task: part}) for text in row.texts() for part in _wrapped(text, each)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    indent = "    " if text.startswith(" ") else "  "
    return textwrap.wrap(text, width, subsequent_indent=indent, drop_whitespace=True, replace_whitespace=False) or [""]
