"""Exploring one test: many executions, each under another schedule."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest

from semafuzz.commands.trace.debugger import stop_at_breakpoint
from semafuzz.harness.errors import UsageError
from semafuzz.harness.kernel import breakpoints
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.replay_run import replay
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.finding import Finding
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces import codec
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.schema import Value
from semafuzz.pytest_plugin import replay_command
from semafuzz.pytest_plugin.interleave_warning import InterleaveWarning
from semafuzz.pytest_plugin.marked_test import MarkedTest, SharedState
from semafuzz.pytest_plugin.options import Plan, Settings
from semafuzz.pytest_plugin.outcomes import Found, Inconclusive, Record, Row, keep
from semafuzz.pytest_plugin.output_once import output_once
from semafuzz.pytest_plugin.timeouts import respected
from semafuzz.reports.run_view.values import Values
from semafuzz.reports.terminal import failing_test
from semafuzz.reports.terminal.told import NOTHING_TOLD, ToldRun, told_run


def search(item: pytest.Function, test: str, plan: Plan, settings: Settings, scheduler: str) -> None:
    """Explore the test under one scheduler.

    Raises Found or Inconclusive, or what the test itself raised to be skipped.
    """
    told = {"cancellations": plan.cancellations, "patient": plan.patient}
    configuration: dict[str, Value] = {name: value for name, value in told.items() if value}
    subject = MarkedTest(item, test, plan.instrument, configuration)
    model = subject.model(plan.model)
    with respected(item) as allowance, output_once(item.config) as keeper:
        subject.program.begin = keeper.begin
        limits = [limit for limit in (plan.seconds, allowance.seconds) if limit is not None]
        with subject.laboratory(model, allowance.stall) as laboratory:
            exploration = Exploration(
                subject.program,
                make_scheduler(scheduler, plan.seed),
                laboratory,
                schedules=plan.schedules,
                seconds=min(limits, default=None),
                seed=plan.seed,
                model=model,
                stop_on_first=not plan.keep_going,
                origin=Origin("function", subject.identity, configuration={"test": test, **configuration}),
                folder=settings.out / _folder_name(test),
            )
            result, shared = exploration.result, None
            try:
                exploration.run()
            except SharedState as error:
                shared, result.verdict = error, "uncontrolled"
            except UsageError as error:
                # What the test asks for is no target: asyncio above all.
                result.notes.append(str(error))
                result.verdict = "uncontrolled"
            keeper.end()
            shown = [_run_again(subject, finding, exploration.setting) for finding in result.failures]
        commands = [_command(subject, finding, allowance.patience) for finding in result.failures]
    _conclude(subject, settings, result, shown, commands, shared)
    if model == "threads" and 1 not in exploration.setting.hot:
        result.notes.append(_nothing_shared(subject))
    for note in result.notes:
        _warn(subject, note)


def _warn(subject: MarkedTest, note: str) -> None:
    """A pass that is worth less than it looks is said to be."""
    line = subject.item.function.__code__.co_firstlineno
    try:
        warnings.warn_explicit(InterleaveWarning(f"{subject.test}: {note}"), None, str(subject.path), line)
    except InterleaveWarning as error:
        pytest.fail(str(error), pytrace=False)  # warnings are errors here


def _folder_name(test: str) -> str:
    """A folder for each test: two tests can fail in one way, and have one signature."""
    name = re.sub(r"[^\w.-]+", "-", test, flags=re.ASCII).strip("-.")
    if len(name) <= 80:
        return name or "test"
    return f"{name[-70:].strip('-.')}-{hashlib.sha256(test.encode()).hexdigest()[:8]}"


def _run_again(subject: MarkedTest, finding: Finding, setting: ExecutionConfig) -> ToldRun:
    """The finding's run once more, from its file; what it prints is what pytest shows."""
    if not finding.trace or not finding.confirmed:
        return NOTHING_TOLD
    trace, values = codec.read(Path(finding.trace)), Values()
    watched = replace(setting, detectors=(*setting.detectors, values))
    with _debugged(subject.item.config):
        outcome = replay(subject.program, recorded_choices(trace), watched).outcome
    return told_run(trace, outcome, values, failing_test.width())


@contextmanager
def _debugged(config: pytest.Config) -> Iterator[None]:
    """``breakpoint()`` of the test stops in the run that is shown, under ``--pdb``."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if not config.getoption("usepdb", False):
        yield
        return

    def stop(frame: FrameType) -> None:
        if capture is not None:
            capture.suspend(in_=True)
        try:
            stop_at_breakpoint(frame)
        finally:
            if capture is not None:
                capture.resume()

    with breakpoints.stopping(stop):
        yield


def _command(subject: MarkedTest, finding: Finding, patience: float) -> str:
    if not finding.trace:
        return ""
    if subject.alone:
        source_index.add(subject.identity, subject.path)
    return replay_command.command(subject, finding.trace, patience)


def _conclude(
    subject: MarkedTest,
    settings: Settings,
    result: Result,
    shown: Sequence[ToldRun],
    commands: Sequence[str],
    shared: SharedState | None,
) -> None:
    """Keep the record, and raise where the test does not pass."""
    record = Record(result.verdict, result.schedules, watched=result.watched, limits=result.limits)
    texts = []
    for finding, told, command in zip(result.failures, shown, commands, strict=True):
        record.rows.append(
            Row(
                finding.signature,
                finding.severity,
                failing_test.line(f"{finding.kind}: {finding.message}"),
                replay_command.shown(subject.item.config, finding.trace),
                command,
                fails=finding.severity == "error" or settings.strict,
            )
        )
        texts.append(failing_test.found(finding, told, result, command))
    keep(subject.item, record)
    if shared is not None:
        raise Inconclusive("\n\n".join([str(shared), *texts]))
    if result.verdict == "uncontrolled":
        raise Inconclusive("\n\n".join([failing_test.uncontrolled(subject.test, result.notes), *texts]))
    if any(row.fails for row in record.rows):
        raise Found("\n\n".join(texts))


def _nothing_shared(subject: MarkedTest) -> str:
    if subject.program.tasks < 2:
        return "it started no thread, so there was nothing to interleave"
    return (
        "its threads were not seen to share anything; where the code under test stands in modules of its own, name "
        "them: instrument=['package.module'], or interleave_instrument in the configuration file"
    )
