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
from semafuzz.harness.detectors.registry import make_detectors
from semafuzz.harness.edits.remedies import WHAT_IF
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.runs import source_index
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
from semafuzz.harness.search.suspects import try_suspects
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


def run_check(options: CheckOptions) -> int:
    """Explore the function and print what was found; the exit code."""
    chosen = make_scheduler(options.scheduler, options.seed)
    options = replace(options, instrument=resolve(options.spec, options.instrument))
    folder = usable_folder(options.out).absolute()
    with program_runs(options.seconds), kept_apart():
        result, model = _search(options, chosen, folder)
    _name_traces(result, options.out)
    confirm(result, options.spec)
    keep_summary(Summary("check", options.spec, "", model, result), folder)
    if options.as_json:
        sys.stdout.write(result_json(result) + "\n")
    else:
        print_result(result, program=options.spec)
    if result.verdict == "uncontrolled":
        return 125
    return 1 if result.failures else 0


def _search(options: CheckOptions, scheduler: Scheduler, folder: Path) -> tuple[Result, Model]:
    names = (FIRST_PARTY, *options.instrument)
    checked, model = load_checked(options.spec, names, options.model, what_if="\n".join(options.what_if))
    detectors = make_detectors(options.detect, model)
    discovery = Discovery()
    source_index.add(checked.identity, checked.path)
    configuration = {WHAT_IF: "\n".join(options.what_if)} if options.what_if else {}
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
                seconds=options.seconds,
                seed=options.seed,
                model=model,
                stop_on_first=not options.keep_going,
                origin=origin,
                folder=folder,
                progress=progress,
                detectors=(*detectors, discovery),
                timeouts=options.timeouts,
            ).run()

        result = explore(scheduler, options.schedules)
        try_suspects(result, detectors, explore)
    result.coverage = discovery.coverage()
    conclude(result, detectors)
    return result, model


def _name_traces(result: Result, given: Path) -> None:
    """Traces by the path under which the folder was given, wherever the program went meanwhile."""
    if not given.is_absolute():
        result.failures = [
            replace(finding, trace=str(given / Path(finding.trace).name)) if finding.trace else finding
            for finding in result.failures
        ]
