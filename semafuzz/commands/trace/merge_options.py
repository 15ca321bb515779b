"""Options of ``semafuzz merge``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Made if need be.")
def merge(folders: tuple[Path, ...], into: Path) -> None:
    """Put together what several searches found.

    Of two traces of one program with one signature the smaller stays. What a smaller
    program explains is kept in DIR/explained. Nothing in the given folders is changed,
    the order makes no difference, and merging twice changes nothing.

    Exit code 0: all is merged. 4: a trace could not be read; the others are merged.

    \b
    Examples:
      semafuzz fuzz --shard 1/2 --out part-1; semafuzz fuzz --shard 2/2 --out part-2
      semafuzz merge part-1 part-2 --into all
    """
    from semafuzz.commands.trace.merge import run_merge

    sys.exit(run_merge(folders, into))
