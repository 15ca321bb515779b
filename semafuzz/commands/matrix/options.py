"""The options of ``semafuzz matrix``, and of the process that judges one of its columns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from semafuzz.commands.common import options
from semafuzz.commands.matrix.default_group import DefaultGroup
from semafuzz.harness.kernel.outcome import Model


def _judging(function: Any) -> Any:
    """What the table and each of its columns have in common."""
    number: dict[str, Any] = {"show_default": True, "help": "At most, for each defect."}
    chosen = (
        click.option("--only", default="", metavar="NAME,...", help="Defects, by name.  [default: all]"),
        click.option("--model", type=click.Choice(["threads", "eventlet"]), default="threads", show_default=True),
        click.option("--schedules", type=click.IntRange(min=1), default=60, **number),
        click.option("--seconds", type=click.FloatRange(min=1), default=60.0, **number),
        click.option("--real", is_flag=True, help="In the world that is close to reality, which is slower."),
        click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep a trace of what shows."),
    )
    for option in reversed(chosen):
        function = option(function)
    return function


@click.group(cls=DefaultGroup)
def matrix() -> None:
    """Two tables: known defects by releases, and which operations may run together.

    \b
    Without a name of one of them it is the first:
      semafuzz matrix nova --jobs 2             the defects of Nova's catalogue, a column for each release
      semafuzz matrix pairs bank.py:Account     every two methods of a class beside each other
    """


@matrix.command()
@click.argument("target", default="nova")
@options.operations
@options.what_if
@options.settings
@options.release
@options.source
@click.option(
    "--schedules", type=click.IntRange(1), default=1_000_000, show_default=True, help="At most this many executions."
)
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=120.0, show_default=True, help="At most this long."
)
@options.seed
@options.model
@options.out
@options.as_json
@click.pass_obj
def pairs(
    arguments: tuple[str, ...],
    /,
    target: str,
    operations: tuple[str, ...],
    what_if: tuple[str, ...],
    settings: tuple[str, ...],
    release: str,
    source: Path | None,
    schedules: int,
    seconds: float,
    seed: int,
    model: Model,
    out: Path,
    as_json: bool,
) -> None:
    """Say for every two operations of a target whether they may run at the same time.

    TARGET is a name that `semafuzz list targets` shows, or FILE.py:CLASS: any class, or a target of your own.
    Each pair is run from several start states with several arguments, under every schedule that can make a
    difference (`dpor`): "verified" where all were covered, "violates" with a trace, or "not exhausted".

    \b
    Exit code: 1 where a pair violates.

    \b
    Examples:
      semafuzz matrix pairs bank.py:Account
      semafuzz matrix pairs reference --set defect=missing_lock
      semafuzz matrix pairs nova --operations claim,audit,build_failed --seconds 600
    """
    from semafuzz.child_channel import program_runs
    from semafuzz.commands.common.release_process import settle_code
    from semafuzz.commands.fuzz.run import Search, run_fuzz
    from semafuzz.harness.kernel.install import interrupts

    code, chosen = settle_code(target, release, source, arguments or ())
    if code is not None:
        sys.exit(code)
    search = Search(
        target,
        chosen,
        "dpor",
        schedules,
        seconds,
        seed,
        model,
        (),
        out,
        settings,
        operations=operations,
        only_pairs=True,
        what_if=what_if,
    )
    with interrupts.heard_once(), program_runs():
        code = run_fuzz(search, as_json)
    sys.exit(code)


@matrix.command()
@click.argument("target", default="nova")
@click.option(
    "--releases", default="", metavar="A,B,...", help="The columns.  [default: each that the catalogue speaks of]"
)
@_judging
@click.option("--jobs", type=click.IntRange(min=1, max=64), default=1, show_default=True, help="Releases at once.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def releases(target: str, releases: str, jobs: int, as_json: bool, **judging: Any) -> None:
    """Print which known defects and findings show in which releases.

    The smallest program of each defect in the target's catalogue (`semafuzz list
    defects`) is explored on each release: no schedule is given, and a fault is tried at
    every call. "silent" means that it did not show in that many schedules, "-" that the
    program cannot be run there, "?" that the release could not be judged.

    \b
    Exit code: 1 where the table contradicts what the catalogue says of a release.

    \b
    Examples:
      semafuzz matrix --jobs 2
      semafuzz matrix nova --releases 21.1.0,21.1.1,34.0.0
      semafuzz matrix nova --releases 34.0.0 --only revert-uncounted-pins --real --keep traces
    """
    from semafuzz.commands.matrix.run import run_matrix
    from semafuzz.strategies.fuzz.defect_check import Judging

    named = [one.strip() for one in releases.split(",") if one.strip()]
    sys.exit(run_matrix(target, named, Judging(**judging), jobs, as_json))


@click.command(name="matrix-column", hidden=True)
@click.argument("target")
@click.option("--release", default="")
@_judging
@click.pass_obj
def matrix_column(arguments: tuple[str, ...], /, target: str, release: str, **judging: Any) -> None:
    """One release of the table, for the process that prints it."""
    from semafuzz.commands.common.release_process import settle_code
    from semafuzz.commands.matrix.run import judge_here, print_column
    from semafuzz.strategies.fuzz.defect_check import Judging

    code, chosen = settle_code(target, release, None, arguments)
    if code is not None:
        sys.exit(code)
    sys.exit(print_column(judge_here(target, chosen, Judging(**judging))))
