"""The options of ``semafuzz pack``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: SIGNATURE.semafuzz beside it]")
@click.option("--program", metavar="FILE.py:FUNCTION", help="The checked function, where its file is not known here.")
def pack(trace: Path, out: Path | None, program: str | None) -> None:
    """Put a finding into one file, for somebody else.

    The file holds the trace, the sources that it ran (the checked file and your own modules that it imports), versions,
    and the picture. `show` draws it without running anything; `replay` runs the packed sources only with --trust.

    \b
    Examples:
      semafuzz pack .semafuzz/0a3b2060ddf6.json
      semafuzz show 0a3b2060ddf6.semafuzz
      semafuzz replay 0a3b2060ddf6.semafuzz --trust
    """
    from semafuzz.commands.pack.run import run_pack

    sys.exit(run_pack(trace, out, program))
