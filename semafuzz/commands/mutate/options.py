"""The options of ``semafuzz mutate``."""

from __future__ import annotations

import sys

import click

from semafuzz.commands.common import options


@click.command()
@click.argument("spec", metavar="FILE.py:CLASS or nova")
@click.option("--lock", default="", metavar="NAME", help="The lock.  [default: the one that the class makes]")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True, help="For each mutant."
)
@options.seed
@options.as_json
def mutate(spec: str, lock: str, seconds: float, seed: int, as_json: bool) -> None:
    """Break a class in each way in which its locking can be broken, and see whether the search notices.

    Each mutant is the class with one change: a method's lock is gone, it is given back before the last statement, two
    updates under it change places, a roll-back is gone. What the class does when one thread uses it is right; a mutant
    is killed where some run of it comes to anything else. One that survives is equal to the original as far as two
    methods show, or the search is too weak: it says which.

    For nova each method of the tracker that takes its lock by a decorator runs without it, beside audits and claims,
    and only an error that the unchanged tracker does not show kills.

    \b
    Exit code: 1 where a mutant survives.

    \b
    Examples:
      semafuzz mutate pool.py:Pool
      semafuzz mutate pool.py:Pool --lock _lock --seconds 10
      semafuzz mutate nova --seconds 60
    """
    from semafuzz.child_channel import program_runs
    from semafuzz.commands.mutate.run import run_mutate

    with program_runs():
        code = run_mutate(spec, lock, seconds, seed, as_json)
    sys.exit(code)
