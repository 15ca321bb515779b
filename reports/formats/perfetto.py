"""A run in the Trace Event Format that Perfetto and chrome://tracing open.

One microsecond is one step: there is no other time. Operations and steps are slices on
the track of their task, locks on tracks of their own beside it, since holds need not nest
in operations; preemptions and the racing pair are arrows.
"""

from __future__ import annotations

import json

from semafuzz.reports.run_view.printable import clean
from semafuzz.reports.run_view.schema import FindingView, Run

LOCKS = 1000
"""Numbers of tracks for locks begin here."""


def trace_events(picture: FindingView) -> str:
    """The failing run, as JSON; no event where there is no run."""
    events = [] if picture.run is None else _events(picture.run)
    told = {"displayTimeUnit": "ns", "otherData": {"signature": picture.signature}, "traceEvents": events}
    return json.dumps(clean(told), ensure_ascii=False) + "\n"


def _events(run: Run) -> list[dict[str, object]]:
    hosts = list(dict.fromkeys(lane.host or "tasks" for lane in run.lanes))
    process = {lane.number: hosts.index(lane.host or "tasks") + 1 for lane in run.lanes}
    found: list[dict[str, object]] = [
        {"ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": {"name": host}}
        for number, host in enumerate(hosts, 1)
    ]
    for lane in run.lanes:
        found.append(_named(process[lane.number], lane.number + 1, lane.name))
    for span in run.operations:
        where = {"pid": process[span.task], "tid": span.task + 1}
        found.append(
            {
                "ph": "X",
                "name": span.name,
                "cat": "operation",
                "ts": span.start,
                "dur": span.end - span.start + 1,
                **where,
            }
        )
    for step in run.steps:
        found.append(
            {
                "ph": "X", "name": f"{step.kind} {_text(run, step.what)}".strip(), "cat": "step", "ts": step.number,
                "dur": 1, "pid": process[step.task], "tid": step.task + 1,
                "args": {
                    "place": _text(run, step.place), "before": _text(run, step.before),
                    "after": _text(run, step.after),
                },
            }
        )  # fmt: skip
    found += _locks(run, process)
    arrows = [(one.step - 1, one.task, one.step, one.instead, "preemption") for one in run.switches if one.preemption]
    tasks = {step.number: step.task for step in run.steps}
    if len(run.pair) > 1 and all(step in tasks for step in run.pair):
        first, last = sorted(run.pair[:2])
        arrows.append((first, tasks[first], last, tasks[last], "race"))
    for number, (start, task, end, other, name) in enumerate(arrows):
        common = {"name": name, "cat": name, "id": number}
        found.append({"ph": "s", "ts": start, "pid": process[task], "tid": task + 1, **common})
        found.append({"ph": "f", "bp": "e", "ts": end, "pid": process[other], "tid": other + 1, **common})
    return found


def _locks(run: Run, process: dict[int, int]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    tracks: dict[tuple[int, str], int] = {}
    for hold in run.holds:
        key = (hold.task, hold.name)
        if key not in tracks:
            tracks[key] = LOCKS * (hold.task + 1) + len(tracks)
            found.append(_named(process[hold.task], tracks[key], f"holds {hold.name}"))
        length = hold.end - hold.start + 1
        where = {"pid": process[hold.task], "tid": tracks[key]}
        found.append({"ph": "X", "name": hold.name, "cat": "lock", "ts": hold.start, "dur": length, **where})
    return found


def _named(process: int, track: int, name: str) -> dict[str, object]:
    return {"ph": "M", "name": "thread_name", "pid": process, "tid": track, "args": {"name": name}}


def _text(run: Run, number: int) -> str:
    return run.texts[number] if number >= 0 else ""
