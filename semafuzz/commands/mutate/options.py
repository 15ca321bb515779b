"""The options of ``semafuzz mutate``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from semafuzz.commands.common import options


@click.command()
@click.argument("spec", metavar="FILE.py:CLASS or nova")
@click.option("--lock", default="", metavar="NAME", help="The lock.  [default: the one that the class makes]")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="For each mutant: of searching it, once it is known what comes to it; an error is then tried on the unchanged "
    "code.",
)
@options.release
@click.option("--jobs", type=click.IntRange(1, 64), default=None, help="So many mutants of nova at once.  [default: 1]")
@click.option("--only", default="", metavar="METHOD", help="Only the mutant of this method of nova's tracker.")
@options.seed
@options.as_json
@click.pass_obj
def mutate(
    arguments: Sequence[str] | None,
    spec: str,
    lock: str,
    seconds: float,
    release: str,
    jobs: int | None,
    only: str,
    seed: int,
    as_json: bool,
) -> None:
    """Break a class in each way in which its locking can be broken, and see whether the search notices.

    Each mutant is the class with one change: a method's lock is gone, it is given back before the last statement, two
    updates under it change places, a roll-back is gone. What the class does when one thread uses it is right; a mutant
    is killed where some run of it comes to anything else. One that survives is equal to the original as far as two
    methods show, or the search is too weak: it says which.

    For nova each method of the tracker that takes its lock by a decorator runs without it, beside every other
    operation, and only an error that the unchanged tracker does not show kills. A mutant that the catalogue argues to
    be harmless, with the reason, counts as no survivor.

    \b
    Exit code: 1 where a mutant survives, 125 where one was not searched.

    \b
    Examples:
      semafuzz mutate pool.py:Pool
      semafuzz mutate pool.py:Pool --lock _lock --seconds 10
      semafuzz mutate nova --seconds 60
      semafuzz mutate nova --release 33.0.2 --jobs 2
      semafuzz mutate nova --only update_usage
    """
    from semafuzz.child_channel import program_runs
    from semafuzz.commands.common.release_process import settle_code
    from semafuzz.commands.mutate.released import run_released
    from semafuzz.commands.mutate.run import run_mutate
    from semafuzz.harness.errors import UsageError
    from semafuzz.targets.declared.loading import is_spec

    if is_spec(spec):
        if release or only or jobs:
            raise UsageError("--release, --only and --jobs go with nova; a class of your own is the file that you name")
        with program_runs():
            sys.exit(run_mutate(spec, lock, seconds, seed, as_json))
    if lock:
        raise UsageError("--lock goes with a class of your own; the lock of nova's tracker is known")
    code, chosen = settle_code(spec, release, None, arguments or ())
    if code is None:
        with program_runs():
            code = run_released(spec, chosen, only, seconds, seed, jobs or 1, as_json)
    sys.exit(code)
