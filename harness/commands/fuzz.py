"""``semafuzz fuzz``: generated programs, each under many schedules."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from harness.commands.locking import Locking
from harness.commands.output import usable_folder
from harness.explore import Exploration, Result
from harness.kernel.sites import SITES
from harness.laboratory import open_laboratory
from harness.program import Setting
from harness.schedulers.registry import make_scheduler
from reports.results import result_json
from reports.terminal import Progress, print_result
from strategies.fuzzing import Fuzzing
from targets import choose_target
from targets.bound import bind
from targets.declared_stage import DECLARED


def run_fuzz(
    name: str,
    release: str,
    scheduler: str,
    schedules: int,
    seconds: float,
    seed: int,
    model: str,
    detect: tuple[str, ...],
    out: Path,
    as_json: bool,
    settings: Sequence[str] = (),
) -> int:
    """Fuzz a target; the exit code. ``settings``: options as ``NAME=VALUE``."""
    target = bind(choose_target(name), settings)
    make_scheduler(scheduler, seed)
    folder = usable_folder(out)
    result = Result(name, scheduler, seed)
    started = perf_counter()
    progress = None if as_json else Progress()

    def look(fuzzing: Fuzzing, search: Exploration) -> None:
        if progress is not None:
            done = result.schedules + search.result.schedules
            progress.say(done, perf_counter() - started, len(result.failures), f", {fuzzing.examples} programs")

    with target.open(release) as opened, open_laboratory(opened.modules, instrument=model == "threads") as laboratory:
        locking = Locking(opened, model, detect)
        setting = Setting(bytearray(max(1 << 16, 2 * len(SITES))), model, seed, watchers=locking.watchers)
        fuzzing = Fuzzing(
            target, opened, laboratory, scheduler, setting, folder, schedules, started + seconds, result, look
        )
        try:
            fuzzing.run()
        finally:
            if progress is not None:
                progress.clear()
        locking.conclude(result, " ".join(dict.fromkeys((name, opened.release))))
    result.seconds = perf_counter() - started
    result.notes.append(f"{fuzzing.examples} programs of {target.name} {opened.release}, {model} model")
    result.notes += fuzzing.novelty.told()
    if as_json:
        sys.stdout.write(result_json(result) + "\n")
    else:
        print_result(result, program=name if target.name == DECLARED else "")
    if result.failures:
        return 1
    return 125 if result.verdict == "uncontrolled" else 0
