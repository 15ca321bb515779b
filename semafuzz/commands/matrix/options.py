"""The options of ``semafuzz matrix``, and of the process that judges one of its columns."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click


def _judging(function: Any) -> Any:
    """What the table and each of its columns have in common."""
    number: dict[str, Any] = {"show_default": True, "help": "At most, for each defect."}
    options = (
        click.option("--only", default="", metavar="NAME,...", help="Defects, by name.  [default: all]"),
        click.option("--model", type=click.Choice(["threads", "eventlet"]), default="threads", show_default=True),
        click.option("--schedules", type=click.IntRange(min=1), default=60, **number),
        click.option("--seconds", type=click.FloatRange(min=1), default=60.0, **number),
        click.option("--real", is_flag=True, help="In the world that is close to reality, which is slower."),
        click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep a trace of what shows."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.command()
@click.argument("target", default="nova")
@click.option(
    "--releases", default="", metavar="A,B,...", help="The columns.  [default: each that the catalogue speaks of]"
)
@_judging
@click.option("--jobs", type=click.IntRange(min=1, max=64), default=1, show_default=True, help="Releases at once.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def matrix(target: str, releases: str, jobs: int, as_json: bool, **judging: Any) -> None:
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
