"""``semafuzz replay``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TextIO

from semafuzz.child_channel import program_runs
from semafuzz.commands.common.counted_runs import CountedRuns
from semafuzz.commands.common.release_process import settle_trace
from semafuzz.commands.trace.debugger import Breakpoint, failing_step, prompt, stop_at_breakpoint
from semafuzz.commands.trace.opened_trace import Code, OpenedTrace, opened_trace
from semafuzz.harness.errors import CannotJudge, SemafuzzError
from semafuzz.harness.kernel import breakpoints
from semafuzz.harness.kernel.naming import digest
from semafuzz.harness.kernel.outcome import Outcome
from semafuzz.harness.runs.program_output import kept_apart, own_errors
from semafuzz.harness.runs.replay_run import Replayed, replay
from semafuzz.harness.search.reproduction import OTHER_ORDER, SEARCH, Judgement, check_reproduces, same_order_of_sets
from semafuzz.harness.traces.build import choices_of, recorded_choices
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Function, Trace
from semafuzz.reports.run_view.values import Values
from semafuzz.reports.terminal.findings import print_story
from semafuzz.reports.terminal.plain_text import plain, width_here
from semafuzz.reports.terminal.told import NOTHING_TOLD, ToldRun, told_run


def run_replay(
    path: Path,
    code: Code,
    *,
    as_json: bool,
    search: int | None = None,
    arguments: Sequence[str] = (),
    break_at: int | None = None,
) -> int:
    """Replay the trace and say whether it reproduces; the exit code.

    ``search``: schedules to try where the recorded one does not fit; by default
    none on the code that made the trace, and ``reproduction.SEARCH`` on other code, or where sets may have another
    order than they had.
    ``arguments``: this command, to run it in another process if need be. ``break_at``: the step at which pdb
    stops, -1 for the failing one; None for none. At a terminal the program's own ``breakpoint()`` stops, too.
    """
    done = settle_trace(path, code.release, code.source, arguments)
    if done is not None:
        return done
    trace = read(path)
    with (
        program_runs(),
        kept_apart(_descriptor(sys.stderr if as_json else sys.stdout)),
        opened_trace(trace, code) as subject,
    ):
        exact = subject.recorded and same_order_of_sets(trace)
        tries = (0 if exact else SEARCH) if search is None else search
        values = Values()
        counted = CountedRuns("looking for it", tries)
        watched = replace(subject.setting, detectors=(*subject.setting.detectors, values, counted))
        met: list[FrameType] = []
        with breakpoints.stopping(met.append):
            judgement = check_reproduces(
                trace, subject.program, watched, subject.laboratory, search=tries, same_code=subject.recorded
            )
            unfit = judgement.reproduces is None and judgement.diverged is not None
            if unfit and search is None and tries == 0 and isinstance(trace.program, Function):
                # The file is the recorded one, and a module that it imports is another.
                judgement = check_reproduces(trace, subject.program, watched, subject.laboratory, search=SEARCH)
        counted.clear()
        may_differ = subject.recorded and code.program is None and not same_order_of_sets(trace)
        if judgement.reproduces is False and judgement.diverged is not None and may_differ:
            # That nothing fails under another order of sets does not say that nothing did.
            judgement.reproduces, judgement.why = None, f"{judgement.diverged}; {OTHER_ORDER}"
        told = _told(trace, subject, judgement, values)
        if judgement.reproduces and judgement.outcome is not None:
            if break_at is not None:
                _stop_in(subject, judgement.outcome, break_at, told)
            elif met and not as_json and sys.stdin.isatty():
                print_story(told.sentence, told.lines, told.gil)
                with breakpoints.stopping(stop_at_breakpoint):
                    replay(subject.program, choices_of(judgement.outcome), subject.setting)
                subject.laboratory.control.between_executions()
    return report(trace, judgement, as_json, subject, told)


def _told(trace: Trace, subject: OpenedTrace, judgement: Judgement, values: Values) -> ToldRun:
    """What happened in the failing run. ``values``: those of the run that was made last, which is another one
    where schedules were searched; nothing is told where it does not repeat."""
    if not judgement.reproduces or judgement.outcome is None:
        return NOTHING_TOLD
    outcome = judgement.outcome
    if judgement.schedules:
        watched = replace(subject.setting, detectors=(*subject.setting.detectors, values))
        try:
            outcome = replay(subject.program, choices_of(outcome), watched).outcome
        except SemafuzzError:
            return NOTHING_TOLD
        subject.laboratory.control.between_executions()
    return told_run(trace, outcome, values, width_here())


def _stop_in(subject: OpenedTrace, outcome: Outcome, break_at: int, told: ToldRun) -> None:
    """Run it once more and stop there."""
    print_story(told.sentence, told.lines, told.gil)
    breakpoint_there = Breakpoint(failing_step(outcome) if break_at < 0 else break_at, prompt)
    stopping = replace(subject.setting, detectors=(*subject.setting.detectors, breakpoint_there))
    again = replay(subject.program, choices_of(outcome), stopping)
    subject.laboratory.control.between_executions()
    same = again.digest == digest(outcome.events)
    if not breakpoint_there.met:
        print(f"semafuzz: the run has no access from step {break_at} on", file=own_errors())
    elif not same:
        print("semafuzz: the run went on in another way than before", file=own_errors())


def _descriptor(stream: TextIO) -> int | None:
    """Where what the program prints goes: the search of a replay prints it too."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def replay_function(trace: Trace, identity: Function, program: str | None) -> Replayed:
    """Run the trace in its function: that of ``program``, or else in the file known for it.

    Raises UsageError where there is none, CannotJudge where control cannot be had.
    """
    with opened_trace(trace, Code(program)) as subject:
        return replay(subject.program, recorded_choices(trace), subject.setting)


def _compared(trace: Trace, judgement: Judgement, same: bool, recorded: bool) -> str:
    """How the events compare with those of the record. ``recorded``: on the code that made it."""
    if same:
        return "the recorded one"
    other = recorded and judgement.reproduces and not judgement.schedules and not same_order_of_sets(trace)
    return f"NOT the recorded one: {OTHER_ORDER}" if other else "NOT the recorded one"


def report(
    trace: Trace, judgement: Judgement, as_json: bool, subject: OpenedTrace, told: ToldRun = NOTHING_TOLD
) -> int:
    """Print how the replay compares with the record, and what happened; the exit code."""
    replayed = judgement.replayed
    same = replayed.digest == trace.expected.digest and replayed.diverged is None
    if as_json:
        answer = {
            "reproduces": bool(judgement.reproduces),
            "judged": judgement.reproduces is not None,
            "why": judgement.why,
            "code": subject.code,
            "signature": trace.expected.signature,
            "digest": replayed.digest,
            "identical": same,
            "diverged": str(replayed.diverged) if replayed.diverged else None,
            "schedules": judgement.schedules,
            "sentence": told.sentence,
            "assertion": told.assertion,
            "gil": told.gil,
            "interleaving": list(told.lines),
        }
        sys.stdout.write(json.dumps(answer) + "\n")
    if judgement.reproduces is None:
        raise CannotJudge(plain(judgement.why, 1000))
    if not as_json:
        words = "reproduces" if judgement.reproduces else "does not reproduce"
        print(f"{plain(trace.expected.signature)} {words}: {trace.expected.kind}: {plain(trace.expected.message, 300)}")
        if replayed.diverged is None:
            print(f"event digest {replayed.digest[:16]}, {_compared(trace, judgement, same, subject.recorded)}")
        if not subject.recorded:
            print(f"on {plain(subject.code)}: {plain(judgement.why)}")
        elif judgement.schedules:
            print(plain(judgement.why))
        print_story(told.sentence, told.lines, told.gil)
    return 1 if judgement.reproduces else 0
