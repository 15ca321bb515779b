"""The options of ``semafuzz nightly``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from semafuzz.commands.common import options
from semafuzz.commands.nightly.fail_on import FailOn
from semafuzz.harness.kernel.outcome import Model


@click.command()
@click.argument("target", default="nova")
@click.option(
    "--corpus",
    required=True,
    metavar="FOLDER",
    help="Where what is known is kept; made if need be. An address such as s3://bucket/folder keeps it on a filesystem "
    "that fsspec reaches (needs semafuzz[remote]).",
)
@click.option("--releases", default="", metavar="A,B,C", help="Search each of these.  [default: the installed one]")
@click.option(
    "--schedules", type=click.IntRange(1), default=1_000_000, show_default=True, help="At most so many for a release."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=600.0,
    show_default=True,
    help="For each release; with --engine dask for each search.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 1024), default=1, show_default=True, help="So many processes, for the cores."
)
@click.option(
    "--shards",
    type=click.IntRange(1, 50_000),
    help="Searches of each release, one after the other where there are more than jobs: a crash then costs less.  "
    "[default: as many as jobs]",
)
@click.option("--seed", type=int, help="The root of all seeds.  [default: another one each night, which is printed]")
@click.option(
    "--memory", type=click.IntRange(0), default=4096, show_default=True, help="MiB for each process; 0 for no limit."
)
@click.option("--anew", is_flag=True, help="Drop a night that was cut, and begin another.")
@click.option("--pages/--no-pages", default=True, show_default=True, help="Make pages at the end, in CORPUS/report.")
@click.option(
    "--engine",
    type=click.Choice(["processes", "dask"]),
    default="processes",
    show_default=True,
    help="Where searches run: here, or on a Dask cluster (needs semafuzz[dask]).",
)
@click.option("--dask", default="", metavar="ADDRESS", help="Of its scheduler.  [default: --jobs processes here]")
@click.option(
    "--wait",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds without a scheduler or a worker, after which a cluster is given up.",
)
@click.option(
    "--send-code",
    is_flag=True,
    help="Have the workers of a cluster use the semafuzz that is here; they need only what it depends on.",
)
@click.option(
    "--mutants",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Measure the search, too: each method of each release without its lock, searched for so long; the score is "
    "in the summary.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(0, min_open=True),
    help="Seconds for the whole night; what is not searched by then is told.  [default: twice what is asked for, and "
    "an hour]",
)
@click.option(
    "--fail-on",
    type=click.Choice(["new-errors", "new", "any"]),
    default="new",
    show_default=True,
    help="What makes the exit code 1: errors that are new or have returned, warnings too, or all that is known.",
)
@options.model
@options.settings
@options.as_json
def nightly(
    target: str,
    corpus: str,
    releases: str,
    schedules: int,
    seconds: float,
    jobs: int,
    shards: int | None,
    seed: int | None,
    memory: int,
    anew: bool,
    pages: bool,
    engine: str,
    dask: str,
    wait: float,
    send_code: bool,
    mutants: float | None,
    deadline: float | None,
    fail_on: FailOn,
    model: Model,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Replay what is known, search by the clock, and tell what is new.

    The corpus keeps every finding with its trace, from night to night. Known ones are
    replayed first: one that shows no more has vanished, one that was gone and shows
    has returned. Then each release is searched with seeds of its own, in processes
    with a deadline and a limit of memory; one that crashes or hangs is begun again
    once. At the end all that is known becomes pages, with findings.sarif beside them,
    as `semafuzz report` makes them.

    Exit code 1: something is new, or has returned. 0: nothing. 125: something was not
    searched, whatever else is new; it is told first. CORPUS/summary.md has it all. A night
    that was killed goes on where it was when the same command is run again.

    \b
    Examples:
      semafuzz nightly --corpus findings --seconds 3600 --jobs 2
      semafuzz nightly --corpus findings --releases 33.0.2,34.0.0 --seconds 3600
      semafuzz nightly --corpus findings --engine dask --dask tcp://host:8786 --shards 40
      semafuzz nightly --corpus s3://bucket/findings --seconds 3600
      semafuzz nightly --corpus findings --seconds 3600 --jobs 2 --mutants 60
      semafuzz nightly reference --corpus findings --schedules 2000 --seed 7
    """
    from semafuzz.campaign.remote.copy import copied, is_address
    from semafuzz.commands.nightly.run import NightlyOptions, run_nightly

    chosen = tuple(one.strip() for one in releases.split(",") if one.strip())
    wanted = NightlyOptions(
        target,
        chosen,
        Path(corpus),
        schedules,
        seconds,
        jobs,
        seed,
        model,
        settings,
        memory,
        anew,
        pages,
        engine,
        dask,
        shards or 0,
        fail_on,
        deadline or 0.0,
        wait,
        send_code,
        mutants or 0.0,
    )
    if is_address(corpus):
        with copied(corpus) as folder:
            code = run_nightly(replace(wanted, corpus=folder), as_json)
    else:
        code = run_nightly(wanted, as_json)
    sys.exit(code)
