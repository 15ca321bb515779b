"""The options of ``semafuzz audit``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from semafuzz.commands.common import options


@click.command()
@click.argument("target", default="nova")
@click.option(
    "--lock",
    default="",
    metavar="NAME",
    help="The lock that guards the class: an attribute, a variable, or a name by which it is asked for.  "
    "[default: the one that the class makes and takes most]",
)
@click.option(
    "--apart", multiple=True, metavar="ATTRIBUTE", help="An attribute that the lock does not guard (repeatable)."
)
@options.release
@options.source
@click.option(
    "--against", default="", metavar="X", help="Show what differs from this release of Nova, or from FILE.py."
)
@click.option(
    "--explore",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Also run the target so long, and say what was seen of each method.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Keep the audit there, for `semafuzz report`."
)
@options.as_json
def audit(
    target: str,
    lock: str,
    apart: tuple[str, ...],
    release: str,
    source: Path | None,
    against: str,
    explore: float | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Say of every method whether it changes state, and under which lock it can be entered.

    TARGET is nova (its resource tracker), FILE.py:CLASS or package.module:CLASS. The source is read, not run: aliases
    of the state, helpers, closures and functions that are handed out are followed. "proven guarded": every change that
    the method can come to is made under the lock, however it is entered. "possibly unguarded": one may be made without
    it; the lines stand below. With --explore, "observed unguarded" is what a run has shown.

    \b
    Exit code: 1 where a method is unguarded, possibly or observed, or where --against shows a difference.

    \b
    Examples:
      semafuzz audit
      semafuzz audit nova --release 17.0.13
      semafuzz audit nova --against 33.0.2
      semafuzz audit pool.py:Pool --lock _lock
      semafuzz audit --explore 60 --json
    """
    from semafuzz.commands.audit.run import AuditOptions, run_audit
    from semafuzz.harness.errors import UsageError

    if release and source is not None:
        raise UsageError("--release and --source exclude each other; give one of them")
    asked = AuditOptions(target, lock, apart, release, source, against, explore, out, as_json)
    sys.exit(run_audit(asked))
