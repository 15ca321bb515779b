"""The options of ``semafuzz show``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from semafuzz.harness.files.traces_folder import DEFAULT


@click.command()
@click.argument("what", metavar="[TRACE, NAME or DIR]", type=click.Path(path_type=Path), default=Path(DEFAULT))
@click.option("--out", type=click.Path(path_type=Path), metavar="PAGES", help="For the page.  [default: beside it]")
@click.option("--program", metavar="FILE.py:NAME", help="The checked function or class, where its file is not known.")
@click.option("--no-browser", is_flag=True, help="Only print where the page is.")
def show(what: Path, out: Path | None, program: str | None, no_browser: bool) -> None:
    """Look at a finding: its picture, in a browser.

    TRACE, or the finding of that NAME where findings go, is run once more and drawn; of a folder,
    by default the one where findings go, every finding is, with an index. The address is
    printed as well, for a machine without a browser.

    \b
    Examples:
      semafuzz show
      semafuzz show 0a3b2060ddf6
      semafuzz show .semafuzz/0a3b2060ddf6.json
      semafuzz show findings --no-browser
    """
    from semafuzz.commands.show.run import run_show

    sys.exit(run_show(what, out, program, opens=not no_browser))
