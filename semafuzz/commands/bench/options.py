"""The options of ``semafuzz bench``."""

from __future__ import annotations

import sys

import click

from semafuzz.commands.common import options


@click.command()
@click.argument("programs", nargs=-1, metavar="[PROGRAM]...")
@click.option(
    "--scheduler",
    "schedulers",
    multiple=True,
    metavar="NAME",
    help="Compare these (repeatable).  [default: portfolio, surw, windows, pos, random, pct3]",
)
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True, help="Searches for each cell.")
@click.option(
    "--schedules", type=click.IntRange(1), default=10_000, show_default=True, help="At most this many executions each."
)
@options.as_json
def bench(programs: tuple[str, ...], schedulers: tuple[str, ...], seeds: int, schedules: int, as_json: bool) -> None:
    """Measure the schedulers on the field's small programs, beside published figures.

    For a program with a defect: schedules to its first failure, the median over the
    seeds and the worst, beside the least published mean and that of SURW. For
    one with a known number of Mazurkiewicz traces: how many executions the
    reduction (dpor) takes for them. The last column is CPU time for an execution.

    \b
    Examples:
      semafuzz bench reorder_10 twostage_20
      semafuzz bench --seeds 5 --scheduler portfolio
    """
    from semafuzz.commands.bench.run import run_bench

    sys.exit(run_bench(programs, schedulers, seeds, schedules, as_json=as_json))
