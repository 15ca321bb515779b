"""A run as JSON lines: one object for each event, for tools that read tables."""

from __future__ import annotations

import json
from collections.abc import Iterator

from semafuzz.reports.run_view.printable import clean
from semafuzz.reports.run_view.schema import FindingView


def event_lines(picture: FindingView) -> Iterator[str]:
    """The events of the failing run in order; nothing where there is no run."""
    run = picture.run
    if run is None:
        return
    names = {lane.number: lane.name for lane in run.lanes}
    hosts = {lane.number: lane.host for lane in run.lanes}

    def text(number: int) -> str | None:
        return run.texts[number] if number >= 0 else None

    for step in run.steps:
        told = {
            "step": step.number,
            "task": step.task,
            "name": names.get(step.task, ""),
            "host": hosts.get(step.task) or None,
            "kind": step.kind,
            "what": text(step.what),
            "before": text(step.before),
            "after": text(step.after),
            "place": text(step.place),
            "shared": step.shared,
            "race": step.number in run.pair,
        }
        yield json.dumps(clean(told), ensure_ascii=False) + "\n"
