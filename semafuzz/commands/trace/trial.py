"""``semafuzz replay --what-if``: a remedy on trial, for one finding."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from semafuzz.child_channel import program_runs
from semafuzz.commands.common.counted_runs import CountedRuns
from semafuzz.commands.common.release_process import settle_trace
from semafuzz.commands.report.notes_beside import keep_notes
from semafuzz.commands.trace.opened_trace import Code, opened_trace
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.runs.program_output import kept_apart
from semafuzz.harness.search.remedy_trial import SCHEDULES, Trial, try_remedy
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Trace
from semafuzz.reports.terminal.plain_text import plain


def run_trial(
    path: Path, code: Code, remedies: Sequence[str], *, as_json: bool, search: int | None, arguments: Sequence[str]
) -> int:
    """Search the program of a trace on the code as if the remedies were written, and keep beside the trace what came
    of it; the exit code: 1 where anything fails. ``search``: at most so many schedules."""
    done = settle_trace(path, code.release, code.source, arguments)
    if done is not None:
        return done
    trace = read(path)
    recorded = str(trace.configuration.get(WHAT_IF, ""))
    tried = "\n".join([*filter(None, [recorded]), *remedies])
    changed = msgspec.structs.replace(trace, configuration={**trace.configuration, WHAT_IF: tried})
    schedules = SCHEDULES if search is None else max(1, search)
    with program_runs(), kept_apart(sys.stderr.fileno() if as_json else sys.stdout.fileno()):
        before = _tried(trace, code, "looking for the finding without the remedy", schedules)
        if not before.shows:
            raise CannotJudge(
                f"without the remedy the finding does not show either ({before.words}), so that a remedy has nothing "
                "to show; try it on the code, and with the settings, with which the finding reproduces"
            )
        trial = _tried(changed, code, "trying the remedy", schedules)
    name = "; ".join(remedies)
    beside = f" on {code.release or code.source}" if code.release or code.source else ""
    if not keep_notes(path, "remedies", {name + beside: trial.words}):
        sys.stderr.write("semafuzz: what came of it could not be kept beside the trace\n")
    if as_json:
        answer = {
            "remedy": name, "silent": trial.silent, "complete": trial.complete, "shows": trial.shows,
            "others": list(trial.others), "schedules": trial.schedules, "why": trial.words,
        }  # fmt: skip
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        print(f"{plain(trace.expected.signature)} with {plain(name, 500)}: {plain(trial.words, 1000)}")
    return 0 if trial.silent else 1


def _tried(trace: Trace, code: Code, doing: str, schedules: int) -> Trial:
    """The program of a trace, searched for its failure with the remedies that its configuration names."""
    with opened_trace(trace, code) as subject:
        counted = CountedRuns(doing, schedules)
        watched = replace(subject.setting, detectors=(*subject.setting.detectors, counted))
        trial = try_remedy(trace, subject.program, watched, subject.laboratory, schedules)
        counted.clear()
    return trial
