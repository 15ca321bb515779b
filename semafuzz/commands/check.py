"""``semafuzz check``."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from semafuzz.commands.common.load_function import load_checked
from semafuzz.commands.common.output_folder import usable_folder
from semafuzz.harness.detectors.coverage import Discovery
from semafuzz.harness.detectors.registry import make_detectors
from semafuzz.harness.kernel.outcome import Model
from semafuzz.harness.runs import source_index
from semafuzz.harness.runs.imported_modules import FIRST_PARTY
from semafuzz.harness.runs.origin import Origin
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.registry import make_scheduler
from semafuzz.harness.search.conclusion import conclude
from semafuzz.harness.search.exploration import Exploration
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


def run_check(options: CheckOptions) -> int:
    """Explore the function and print what was found; the exit code."""
    chosen = make_scheduler(options.scheduler, options.seed)
    checked, model = load_checked(options.spec, (FIRST_PARTY, *options.instrument), options.model)
    detectors = make_detectors(options.detect, model)
    discovery = Discovery()
    folder = usable_folder(options.out)
    source_index.add(checked.identity, checked.path)
    origin = Origin("function", checked.identity)
    with (
        controlled_session(checked.program.modules()[1:], instrument=model != "eventlet", thorough=True) as laboratory,
        progress_line(enabled=not options.as_json) as progress,
    ):
        search = Exploration(
            checked.program,
            chosen,
            laboratory,
            schedules=options.schedules,
            seconds=options.seconds,
            seed=options.seed,
            model=model,
            stop_on_first=not options.keep_going,
            origin=origin,
            folder=folder,
            progress=progress,
            detectors=(*detectors, discovery),
        )
        result = search.run()
    result.coverage = discovery.coverage()
    conclude(result, detectors)
    keep_summary(Summary("check", options.spec, "", model, result), folder)
    if options.as_json:
        sys.stdout.write(result_json(result) + "\n")
    else:
        print_result(result, program=options.spec)
    if result.verdict == "uncontrolled":
        return 125
    return 1 if result.failures else 0
