"""The options of ``semafuzz fuzz``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from semafuzz.commands.common import options
from semafuzz.harness.kernel.outcome import Model


@click.command()
@click.argument("target", default="nova")
@options.release
@options.source
@options.scheduler
@click.option(
    "--schedules", type=click.IntRange(1), default=1_000_000, show_default=True, help="At most this many executions."
)
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=120.0, show_default=True, help="At most this long."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="So many searches at once, for the cores."
)
@options.seed
@options.model
@options.detect
@options.settings
@options.operations
@options.what_if
@options.fault
@options.leaving
@options.out
@options.as_json
@click.option(
    "--coverage",
    is_flag=True,
    help="Measure which lines and branches of the target run; coverage.xml and coverage.lcov in --out.",
)
@options.shard
@click.option("--share", default="", hidden=True)
@click.pass_obj
def fuzz(
    arguments: Sequence[str] | None,
    target: str,
    release: str,
    source: Path | None,
    scheduler: str,
    schedules: int,
    seconds: float,
    jobs: int,
    seed: int,
    model: Model,
    detect: tuple[str, ...],
    settings: tuple[str, ...],
    operations: tuple[str, ...],
    what_if: tuple[str, ...],
    fault: tuple[str, ...],
    leaving: bool,
    out: Path,
    as_json: bool,
    coverage: bool,
    shard: tuple[int, int],
    share: str,
) -> None:
    """Explore generated programs of a target's operations (default: Nova's tracker).

    TARGET is a name that `semafuzz list targets` shows, or FILE.py:CLASS. That can be any
    class: its public methods run at the same time, and must come to what some serial order
    of them comes to (docs/any-class.md). Or a target of your own, with your own checks
    (docs/own-target.md).

    Programs of one to four tasks are made from the target's operation table; each
    runs under many schedules, and every outcome is judged by the target's
    invariants. Most of the executions go through small programs: every two operations beside
    each other come first, then each operation with each fault at each call, and faults beside a
    second task. What fails is minimised and written as a trace. At the end stands
    what was seen of the target's locking.

    \b
    Examples:
      semafuzz fuzz
      semafuzz fuzz --jobs 2 --seconds 600
      semafuzz fuzz --model eventlet --seconds 600 --seed 7
      semafuzz fuzz --release 33.0.2
      semafuzz fuzz --operations claim,audit,build_failed
      semafuzz fuzz --seconds 3600 --shard 2/4 --out part-2
      semafuzz fuzz --source ~/nova
      semafuzz fuzz pool.py:ConnectionPool
      semafuzz fuzz bank_target.py:Bank
      semafuzz fuzz reference --set defect=missing_lock
    """
    from semafuzz.child_channel import program_runs
    from semafuzz.commands.common.release_process import settle_code
    from semafuzz.commands.fuzz.jobs import run_jobs
    from semafuzz.commands.fuzz.run import Search, run_fuzz, run_share
    from semafuzz.harness.edits.call_points import LEAVING
    from semafuzz.harness.kernel.install import interrupts

    code, chosen = settle_code(target, release, source, arguments or ())
    if code is not None:
        sys.exit(code)
    search = Search(
        target,
        chosen,
        scheduler,
        schedules,
        seconds,
        seed,
        model,
        detect,
        out,
        settings,
        coverage,
        operations,
        what_if=what_if,
        faults=(*fault, *(LEAVING if leaving else ())),
    )
    with interrupts.heard_once():
        if share:
            number, _, of = share.partition("/")
            sys.exit(run_share(search, (int(number), int(of))))
        if jobs > 1:
            sys.exit(run_jobs(search, jobs, [] if source is None else ["--source", str(source)], as_json, shard))
        with program_runs():
            code = run_fuzz(search, as_json, shard)
        sys.exit(code)
