"""Replaying a kept trace as a test: it fails while the failure is still there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.replay_run import Replayed, replay
from semafuzz.harness.traces.build import recorded_choices
from semafuzz.harness.traces.schema import Function, Trace
from semafuzz.harness.traces.signature import failure_identity
from semafuzz.pytest_plugin import replay_command
from semafuzz.pytest_plugin.marked_test import MarkedTest
from semafuzz.pytest_plugin.options import Plan, Settings
from semafuzz.pytest_plugin.outcomes import Found, Inconclusive, Record, Row, keep
from semafuzz.pytest_plugin.output_once import output_once
from semafuzz.pytest_plugin.timeouts import respected
from semafuzz.reports.run_view.values import Values
from semafuzz.reports.terminal import failing_test
from semafuzz.reports.terminal.told import ToldRun, told_run


def replay_in_test(item: pytest.Function, test: str, plan: Plan, settings: Settings, path: Path, trace: Trace) -> None:
    """Replay a trace in its test, with the fixtures of the test.

    Raises Found, Inconclusive, or skips where the trace does not fit the test any more.
    """
    assert isinstance(trace.program, Function)
    if set(trace.program.instrument) != set(plan.instrument):
        recorded, now = list(trace.program.instrument), list(plan.instrument)
        unfit(f"{path.name} was recorded with instrument={recorded}, the test has {now}", settings)
    subject = MarkedTest(item, test, plan.instrument, trace.configuration, thorough=trace.thorough)
    with respected(item) as allowance, output_once(item.config) as keeper:
        subject.program.begin = keeper.begin
        with subject.laboratory(trace.model, allowance.stall) as laboratory:
            if laboratory.uncontrolled_reason:
                raise Inconclusive(failing_test.uncontrolled(test, [laboratory.uncontrolled_reason]))
            points = bytearray(max(1 << 16, 2 * len(SITES)))
            setting = ExecutionConfig(points, trace.model, trace.seed, thorough=trace.thorough)
            setting.detectors = (*setting.detectors, values := Values())
            replayed = replay(subject.program, recorded_choices(trace), setting)
            told = told_run(trace, replayed.outcome, values, failing_test.width())
    judge(item, trace, path, replayed, told, replay_command.in_pytest(item.config, test, path), settings)


def judge(
    item: pytest.Item,
    trace: Trace,
    path: Path,
    replayed: Replayed,
    told: ToldRun,
    command: str,
    settings: Settings,
) -> None:
    """Fail, skip or return, by what the replay came to. ``told``: what happened in it.

    Raises Found, Inconclusive, or what pytest skips a test with.
    """
    expected = trace.expected
    if replayed.outcome.uncontrolled:
        raise Inconclusive(failing_test.uncontrolled(item.nodeid, [replayed.outcome.uncontrolled]))
    if replayed.diverged is not None:
        unfit(f"{path.name} does not fit this code any more: {replayed.diverged}{_hash_seed(trace)}", settings)
    cut = [failure for failure in replayed.outcome.failures if failure.kind == "step-limit"]
    if cut:
        unfit(f"{path.name}: {cut[0].message}", settings)
    # Another failure under the recorded schedule is one too; a warning that was not recorded is not.
    failures = [
        failure
        for failure in replayed.outcome.failures
        if failure_identity(failure) == expected.identity or failure.severity == "error" or settings.strict
    ]
    failures.sort(key=lambda failure: failure_identity(failure) != expected.identity)
    record = Record("found" if failures else "gone", 1)
    if failures:
        what = failing_test.line(f"{failures[0].kind}: {failures[0].message}")
        shown = replay_command.shown(item.config, str(path))
        record.rows.append(Row(expected.signature, failures[0].severity, what, shown, command))
    item.user_properties.append(("semafuzz_identical", str(replayed.digest == expected.digest).lower()))
    keep(item, record)
    if failures:
        raise Found(failing_test.replayed(trace, failures[0], told, command))


def _hash_seed(trace: Trace) -> str:
    here = os.environ.get("PYTHONHASHSEED", "random")
    if here == trace.hash_seed != "random":
        return ""
    return f" (recorded with PYTHONHASHSEED={trace.hash_seed}, here it is {here}: sets may have another order)"


def unfit(reason: str, settings: Settings) -> None:
    """A trace of which nothing can be said is skipped with the reason, and fails only
    where everything has to be certain."""
    if settings.strict:
        raise Inconclusive(f"cannot be judged: {reason}")
    # Told with the place of the test, not with this one.
    raise pytest.skip.Exception(f"cannot be judged: {reason}", _use_item_location=True)
