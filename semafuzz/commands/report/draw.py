"""From a trace to the picture of its finding, by running it once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from msgspec.structs import replace as replace_fields

from semafuzz.commands.trace.opened_trace import Code, OpenedTrace, opened_trace
from semafuzz.harness.errors import CannotJudge, UsageError, documentation
from semafuzz.harness.kernel.outcome import ADVICE, SEES_ACCESSES, Failure, Outcome
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.search.nearest_passing import nearest_passing, part
from semafuzz.harness.search.recorder import matching
from semafuzz.harness.search.reproduction import check_reproduces
from semafuzz.harness.traces.build import choices_of
from semafuzz.harness.traces.schema import Function, Operations, Trace
from semafuzz.reports.run_view.build import record_run
from semafuzz.reports.run_view.gil_label import gil_label
from semafuzz.reports.run_view.interleaving import interleaving
from semafuzz.reports.run_view.schema import FindingView, Passing, Run
from semafuzz.reports.run_view.sources import excerpts_of, repository_file_of, source_line
from semafuzz.reports.run_view.turns import turns
from semafuzz.reports.run_view.values import Values
from semafuzz.targets.model.scenario import describe_fault, describe_operation

SEARCH = 300
"""Schedules that may be tried where the recorded one does not fit the code of today."""


def draw(
    trace: Trace,
    program: str | None = None,
    source: Path | None = None,
    commands: Sequence[str] = (),
) -> FindingView:
    """The picture of ``trace``, run as ``replay`` runs it. Where it cannot be run, or does
    not reproduce, the picture says why and has no run."""
    blank = view_without_run(trace, commands)
    try:
        with opened_trace(trace, Code(program, source=source)) as subject:
            return _painted(blank, trace, subject)
    except (CannotJudge, UsageError) as error:
        return replace_fields(blank, reproduces=f"it could not be run here: {error}")


def view_without_run(trace: Trace, commands: Sequence[str] = ()) -> FindingView:
    """What the trace itself tells, without running it."""
    content = trace.program
    setup: list[str] = []
    tasks: list[list[str]] = []
    if isinstance(content, Operations):
        setup = [describe_operation(one) for one in content.setup]
        tasks = [[describe_operation(one) for one in task] for task in content.tasks]
    necessity = trace.necessity
    name = f"{content.file}:{content.function}" if isinstance(content, Function) else trace.target
    return FindingView(
        signature=trace.expected.signature,
        kind=trace.expected.kind,
        severity=None,
        message=trace.expected.message,
        detail=list(trace.expected.detail),
        target=name,
        release=trace.release,
        model=trace.model,
        places=list(trace.expected.places),
        setup=setup,
        tasks=tasks,
        faults=[describe_fault(one) for one in trace.faults],
        faults_needed=list(necessity.faults) if necessity is not None else [],
        configuration={key: str(value) for key, value in sorted(trace.configuration.items())},
        versions=dict(trace.versions),
        commands=list(commands),
        reproduces="it was not run",
    )


def _painted(blank: FindingView, trace: Trace, subject: OpenedTrace) -> FindingView:
    judgement = check_reproduces(trace, subject.program, subject.setting, subject.laboratory, search=SEARCH)
    if judgement.reproduces is None or judgement.outcome is None:
        answer = "it does not show here any more" if judgement.reproduces is False else "that cannot be told"
        return replace_fields(blank, reproduces=f"{answer}: {judgement.why}")
    values = Values()
    watched = replace(subject.setting, detectors=(*subject.setting.detectors, values))
    again = replay(subject.program, choices_of(judgement.outcome), watched).outcome
    subject.laboratory.control.between_executions()
    failure = _failure(again, trace)
    if failure is None:
        why = f"it shows, but not each time that it is run; see {documentation('determinism')}"
        return replace_fields(blank, reproduces=why)
    necessity = trace.necessity.preemptions if trace.necessity is not None else ()
    run = record_run(again, values.seen, failure, necessity)
    sites = _sites(again) | {one.caller for one in values.seen.values() if one.caller}
    passing, why = _passing(subject, watched, again, failure, values)
    matter = _matter(again, failure, run)
    places = blank.places
    if failure.kind == "deadlock":
        # Where each waits, and where it took what another waits for: no two accesses race.
        places = list(dict.fromkeys(SITES[number].place() for number in matter))
    return replace_fields(
        blank,
        places=places,
        severity=failure.severity,
        reproduces="yes",
        operations=_operations(run),
        run=run,
        passing=passing,
        no_passing=why,
        story=turns(again),
        gil=gil_label(again) if trace.model in SEES_ACCESSES else "",
        shared=interleaving(again),
        excerpts=excerpts_of(matter),
        sources={SITES[site].place(): line for site in sites if (line := source_line(SITES[site]))},
        files={SITES[site].module: repository_file_of(SITES[site]) for site in sites},
    )


def _failure(outcome: Outcome, trace: Trace) -> Failure | None:
    try:
        return matching(outcome, trace.expected.identity)
    except ValueError:
        return None


def _passing(
    subject: OpenedTrace, watched: ExecutionConfig, failing: Outcome, failure: Failure, values: Values
) -> tuple[Passing | None, str]:
    own = replace(watched, hot=bytearray(subject.setting.hot))
    if failure.kind in ADVICE:
        return None, "it is about how the code is written, and shows in every order"
    between = subject.laboratory.control.between_executions
    nearest = nearest_passing(subject.program, subject.origin, own, failing, between)
    if nearest is None:
        return None, "every other run that was tried fails as well: the failure needs no particular order"
    parted = part(failing, nearest.outcome)
    assert parted is not None
    return Passing(record_run(nearest.outcome, values.seen, None), parted, nearest.how), ""


def _matter(outcome: Outcome, failure: Failure, run: Run) -> list[int]:
    """The sites to show the source of: the racing pair, then those that the failure names,
    then where it was interrupted."""
    numbers = [outcome.events[step][4] for step in run.pair]
    if failure.kind == "deadlock":
        numbers += [
            outcome.events[hold.start][4] for hold in run.holds if hold.open and hold.start < len(outcome.events)
        ]
    numbers += [*failure.sites, *failure.related]
    put_off = {decision.step: decision for decision in outcome.decisions if decision.preemption}
    for switch in run.switches:
        decision = put_off.get(switch.step)
        if switch.preemption and decision is not None and switch.needed != "no":
            numbers.append(decision.pending[decision.enabled.index(decision.current)][3])
    return [number for number in numbers if number]


def _sites(outcome: Outcome) -> set[int]:
    return {event[4] for event in outcome.events if event[4]}


def _operations(run: Run) -> list[str]:
    """The operations in whose midst the racing pair stands, or else all."""
    under_way = [
        span.name
        for step in run.pair
        for span in run.operations
        if span.start <= step <= span.end
        and span.task == next((one.task for one in run.steps if one.number == step), -1)
    ]
    return list(dict.fromkeys(under_way or [span.name for span in run.operations]))
