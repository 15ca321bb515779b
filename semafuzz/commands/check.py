"""``semafuzz check``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from semafuzz.child_channel import program_runs
from semafuzz.commands.common.automatic_instrument import resolve
from semafuzz.commands.common.confirm import confirm
from semafuzz.commands.common.load_function import load_checked
from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.harness.detectors.coverage import Discovery
from semafuzz.harness.detectors.registry import make_detectors, make_unasked
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.budget import Deadline
from semafuzz.harness.runs.imported_modules import FIRST_PARTY
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.program_output import kept_apart
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.runs.time_outs import Timeouts
from semafuzz.harness.schedulers.protocol import Scheduler
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.conclusion import conclude
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.search.result import Result
from semafuzz.harness.search.result_sum import gone_on
from semafuzz.harness.search.suspects import try_suspects
from semafuzz.harness.traces.schema import Value
from semafuzz.reports.formats.json_result import result_json
from semafuzz.reports.summaries import Summary, keep_summary
from semafuzz.reports.terminal.result import print_result, progress_line


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What was asked for; the options of ``semafuzz check``."""

    spec: str
    scheduler: str
    schedules: int
    seconds: float | None
    seed: int
    model: Model
    instrument: tuple[str, ...]
    keep_going: bool
    detect: tuple[str, ...]
    out: Path
    as_json: bool
    timeouts: Timeouts = "any"
    what_if: tuple[str, ...] = ()
    survey: bool = False
    cancellations: int = 0
    patient: bool = False


def run_check(options: CheckOptions) -> int:
    """Explore the function and print what was found; the exit code."""
    chosen = make_scheduler(options.scheduler, options.seed)
    deadline = Deadline(options.seconds)
    options = replace(options, instrument=resolve(options.spec, options.instrument, options.seconds))
    folder = usable_folder(options.out).absolute()
    seen: set[tuple[str, ...]] = set()
    result, model = _searched(options, chosen, folder, deadline, seen)
    for number in range(1, ROUNDS):
        left = options.schedules - result.schedules
        # What did not show again is no answer: the search goes on, past failures of that name.
        if result.failures or not result.unconfirmed or left < 1 or deadline.passed:
            break
        further = replace(options, seed=options.seed + number, schedules=left)
        found, _ = _searched(further, make_scheduler(options.scheduler, further.seed), folder, deadline, seen)
        result = gone_on(result, found)
    keep_summary(Summary("check", options.spec, "", model, result), folder)
    if options.as_json:
        sys.stdout.write(result_json(result) + "\n")
    else:
        print_result(result, program=options.spec)
    if result.verdict == "uncontrolled":
        return 125
    return 1 if result.failures else 0


ROUNDS = 4
"""Searches of which each begins where the one before found what was not confirmed, at most."""


def _searched(
    options: CheckOptions, scheduler: Scheduler, folder: Path, deadline: Deadline, seen: set[tuple[str, ...]]
) -> tuple[Result, Model]:
    """One search, with its findings confirmed."""
    seconds = None if options.seconds is None else max(0.2, deadline.left)
    with program_runs(seconds), kept_apart():
        result, model = _search(replace(options, seconds=seconds), scheduler, folder, seen)
    _name_traces(result, options.out)
    confirm(result, options.spec)
    return result, model


def _search(
    options: CheckOptions, scheduler: Scheduler, folder: Path, seen: set[tuple[str, ...]]
) -> tuple[Result, Model]:
    names = (FIRST_PARTY, *options.instrument)
    checked, model = load_checked(options.spec, names, options.model, what_if="\n".join(options.what_if))
    deadline = Deadline(options.seconds)
    asked, unasked = make_detectors(options.detect, model), make_unasked(options.detect, model)
    detectors = (*asked, *unasked)
    discovery = Discovery()
    source_index.add(checked.identity, checked.path)
    configuration: dict[str, Value] = {WHAT_IF: "\n".join(options.what_if)} if options.what_if else {}
    if options.cancellations or options.patient:
        # Here, since trio need not be installed.
        from semafuzz.harness.trio_engine.choosing import TrioChoices

        choices = TrioChoices(options.cancellations, options.patient)
        choices.settle(checked.program, options.spec)
        configuration |= choices.configuration()
    origin = Origin("function", checked.identity, configuration=configuration)
    modules = checked.program.modules()[1:]
    with (
        controlled_session(modules, instrument=model != "eventlet", thorough=True) as laboratory,
        progress_line(enabled=not options.as_json) as progress,
    ):

        def explore(chosen: Scheduler, schedules: int) -> Result:
            return Exploration(
                checked.program,
                chosen,
                laboratory,
                schedules=schedules,
                seconds=None if options.seconds is None else max(0.2, deadline.left),
                seed=options.seed,
                model=model,
                stop_on_first=not options.keep_going,
                origin=origin,
                folder=folder,
                progress=progress,
                detectors=(*detectors, discovery),
                timeouts=options.timeouts,
                judge=not options.survey,
                seen=seen,
            ).run()

        result = explore(scheduler, options.schedules)
        try_suspects(result, detectors, explore, deadline)
    result.coverage = discovery.coverage()
    conclude(result, asked, unasked)
    return result, model


def _name_traces(result: Result, given: Path) -> None:
    """Traces by the path under which the folder was given, wherever the program went meanwhile."""
    if not given.is_absolute():
        result.failures = [
            replace(finding, trace=str(given / Path(finding.trace).name)) if finding.trace else finding
            for finding in result.failures
        ]
