"""The options of ``semafuzz report`` and of what it calls."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from semafuzz.commands.common import options


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="PAGES", help="Folder for the pages.  [default: DIR/report]"
)
@click.option("--program", metavar="FILE.py:NAME", help="The checked function, or the class of your own target.")
@options.source
@click.option(
    "--matrix", type=click.Path(path_type=Path), metavar="FILE", help="What `semafuzz matrix --json` printed, to show."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="So many processes, for the cores."
)
@click.option(
    "--pictures",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="Findings that are drawn, the worst first; `semafuzz show TRACE` draws any other one.",
)
@options.as_json
def report(
    folder: Path,
    out: Path | None,
    program: str | None,
    source: Path | None,
    matrix: Path | None,
    jobs: int,
    pictures: int,
    as_json: bool,
) -> None:
    """Make pages of what was found, to look at.

    DIR is the folder that --out of `fuzz` or `check` named, or a corpus of `nightly`. Each
    finding is run once more and becomes a page of its own with a picture of the run,
    beside the nearest run that passes; index.html leads to them. In the same folder:
    findings.sarif for code scanning, junit.xml and summary.md for CI, and of each finding
    a text for a bug tracker (.md), a timeline for Perfetto (.perfetto.json) and its events
    as JSON lines (.jsonl).

    Exit code 0: the pages are written. 4: DIR holds no finding, or one that cannot be read.

    \b
    Examples:
      semafuzz report .semafuzz
      semafuzz report findings --jobs 2 --out pages
      semafuzz matrix nova --json > matrix.json; semafuzz report .semafuzz --matrix matrix.json
    """
    from semafuzz.commands.report.run import ReportOptions, run_report

    order = ReportOptions(folder, out or folder / "report", program, source, matrix, jobs, pictures)
    sys.exit(run_report(order, as_json))


@click.command(hidden=True)
@click.argument("traces", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), required=True)
@click.option("--program")
@options.source
@click.pass_obj
def picture(
    arguments: Sequence[str] | None, traces: tuple[Path, ...], into: Path, program: str | None, source: Path | None
) -> None:
    """Write pictures of traces, for `report`."""
    from semafuzz.commands.report.draw_process import run_picture

    sys.exit(run_picture(traces, into, program, source, arguments or ()))
