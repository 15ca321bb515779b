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
from semafuzz.commands.common.json_command import json_of
from semafuzz.commands.common.release_process import settle_trace
from semafuzz.commands.report.notes_beside import keep_notes
from semafuzz.commands.trace.opened_trace import Code, opened_trace
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.errors import CannotJudge
from semafuzz.harness.runs.program_output import kept_apart
from semafuzz.harness.search.remedy_trial import SCHEDULES, try_remedy
from semafuzz.harness.traces.codec import read
from semafuzz.reports.terminal.plain_text import plain
from semafuzz.reports.terminal.waiting import waiting


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
    _check_shows(path, code, search)
    with (
        program_runs(),
        kept_apart(sys.stderr.fileno() if as_json else sys.stdout.fileno()),
        opened_trace(changed, code) as subject,
    ):
        counted = CountedRuns("trying the remedy", schedules)
        watched = replace(subject.setting, detectors=(*subject.setting.detectors, counted))
        trial = try_remedy(trace, subject.program, watched, subject.laboratory, schedules)
        counted.clear()
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


def _check_shows(path: Path, code: Code, search: int | None) -> None:
    """Raises CannotJudge where the finding does not show on this code without the remedy, which then has nothing to
    silence. In a process of its own: code that a library has imported stays in a process as it is."""
    told = ["replay", str(path.absolute())]
    told += ["--program", code.program] if code.program else []
    told += ["--release", code.release] if code.release else []
    told += ["--source", str(code.source)] if code.source is not None else []
    told += [] if search is None else ["--search", str(search)]
    told += [part for name in code.instrument for part in ("--instrument", name)]
    told += [part for setting in code.settings for part in ("--set", setting)]
    with waiting("the finding is replayed without the remedy"):
        try:
            answer = json_of(told)
        except CannotJudge as error:
            raise CannotJudge(f"without the remedy the finding cannot be replayed: {error}") from None
    if not answer["reproduces"]:
        raise CannotJudge(
            f"without the remedy the finding does not show either ({answer['why']}), so that a remedy has nothing to "
            "silence; try it on the code, and with the settings, with which the finding reproduces"
        )
