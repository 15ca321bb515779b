"""The page of one finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from semafuzz.harness.kernel.outcome import Severity
from semafuzz.reports.pages.render import data_text, page
from semafuzz.reports.run_view.bisection import by_answer
from semafuzz.reports.run_view.facts import facts_sentence
from semafuzz.reports.run_view.schema import FindingView, Run, Step
from semafuzz.reports.run_view.sentence import sentence, shortened

ROWS = 300
"""Of the table of steps; the picture has all."""
NEEDS = 10
"""Preemptions and faults that are listed; the picture shows them all."""


@dataclass(frozen=True, slots=True)
class Links:
    """What lies beside the page, by its name: the pages of the findings before and after it, "" for none, and its
    other ``forms``, each with what it is for."""

    before: str = ""
    after: str = ""
    forms: Sequence[tuple[str, str]] = ()
    index: str = "index.html"


ALONE = Links(index="")


NO_PICTURE = "There is no picture:"
"""How a page begins that has none."""


def finding_page(picture: FindingView, severity: Severity, links: Links = ALONE) -> str:
    """The page, as HTML. ``links``: what lies beside it."""
    run, passing = picture.run, picture.passing
    rows = _rows(run) if run is not None else []
    return page(
        "finding.html",
        "picture.js",
        "finding.js",
        picture=msgspec.to_builtins(picture),
        severity=severity,
        sentence=sentence(picture),
        lead=facts_sentence(run) if run is not None else "",
        where=_where(picture),
        no_picture=NO_PICTURE,
        needs=_needs(picture)[:NEEDS],
        more_needs=max(0, len(_needs(picture)) - NEEDS),
        links=links,
        more=_more(picture),
        rows=rows[:ROWS],
        more_rows=max(0, len(rows) - ROWS),
        run_words=_words(run) if run is not None else "",
        parted_words=f"{passing.how}; the two part at step {passing.parted}." if passing else "",
        facts=_facts(picture),
        data=_data(picture),
    )


def _more(picture: FindingView) -> list[str]:
    """What the heading leaves out: the whole message, where the details do not say it again."""
    lines = picture.message.strip().splitlines()
    parts = [one for one in picture.detail if one in picture.message]
    told = 5 * sum(map(len, parts)) >= 4 * len(picture.message)
    whole = lines if not told and (len(lines) > 1 or shortened(lines[0] if lines else "") != (lines or [""])[0]) else []
    return [*whole, *picture.detail]


def _where(picture: FindingView) -> str:
    parts = [f"{picture.target} {picture.release}".strip(), f"{picture.model} model"]
    if "python" in picture.versions:
        parts.append(f"found on Python {picture.versions['python']}")
    return ", ".join(parts)


def _needs(picture: FindingView) -> list[str]:
    """The preemptions and faults of the run, each with whether the failure needs it."""
    found = []
    run = picture.run
    if run is not None:
        names = {lane.number: lane.name for lane in run.lanes}
        for one in run.switches:
            if one.preemption:
                said = {"yes": "needed", "no": "not needed", "": "not checked whether it is needed"}[one.needed]
                who, other = names.get(one.task, "?"), names.get(one.instead, "?")
                found.append(f"{who} is interrupted before: {one.put_off}; {other} runs ({said})")
    for number, fault in enumerate(picture.faults):
        known = picture.faults_needed[number : number + 1]
        said = "not checked whether it is needed" if not known else "needed" if known[0] else "not needed"
        found.append(f"the fault {fault} ({said})")
    if run is not None and not any(one.preemption for one in run.switches):
        found.insert(0, "no preemption: whole operations in this order are enough")
    return found


def _words(run: Run) -> str:
    left = f" {run.left_out:,} steps of single tasks are left out." if run.left_out else ""
    return f"{run.events:,} steps of {len(run.lanes)} tasks, time goes downwards.{left}"


def _rows(run: Run) -> list[dict[str, str]]:
    def text(number: int) -> str:
        return run.texts[number] if number >= 0 else ""

    names = {lane.number: lane.name for lane in run.lanes}
    shown = [step for step in run.steps if step.shared or step.number in run.pair] or run.steps
    return [
        {
            "number": str(step.number),
            "task": names.get(step.task, "?"),
            "what": _act(step, text(step.what)),
            "before": text(step.before),
            "after": text(step.after),
            "place": text(step.place),
        }
        for step in shown
    ]


def _act(step: Step, what: str) -> str:
    return f"{step.kind} {what}".strip()


def _facts(picture: FindingView) -> list[tuple[str, str]]:
    facts = [("target", f"{picture.target} {picture.release}".strip()), ("model", picture.model)]
    facts += [(f"releases: {answer}", releases) for answer, releases in by_answer(picture)]
    facts += [(f"tried: {remedy}", came_to) for remedy, came_to in picture.remedies.items()]
    facts += [(f"option {name}", value) for name, value in picture.configuration.items()]
    return facts + sorted(picture.versions.items())


def _data(picture: FindingView) -> object:
    """What the script draws."""
    if picture.run is None:
        return ""
    passing = picture.passing
    return data_text(
        {
            "run": msgspec.to_builtins(picture.run),
            "label": f"The run that fails: {len(picture.run.lanes)} tasks, {picture.run.events} steps",
            "passing": None
            if passing is None
            else {
                "run": msgspec.to_builtins(passing.run),
                "parted": passing.parted,
                "label": f"The nearest run that passes: {passing.run.events} steps",
            },
            "sources": picture.sources,
            "excerpts": msgspec.to_builtins(picture.excerpts),
            "files": picture.files,
        }
    )
