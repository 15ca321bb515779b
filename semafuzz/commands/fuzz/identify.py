"""``semafuzz identify``: what a search of a target would look at, in digests. For whoever adds the answers of searches
on several machines; a person has no use for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
import msgspec

from semafuzz.commands.common import options


@click.command(hidden=True)
@click.argument("target")
@click.option("--release", default="")
@options.settings
@click.pass_obj
def identify(arguments: Sequence[str] | None, target: str, release: str, settings: tuple[str, ...]) -> None:
    """Print the code that a search of TARGET would look at, as one JSON object."""
    from semafuzz.commands.common.release_process import settle_code
    from semafuzz.harness.runs.code_identity import code_identity
    from semafuzz.targets import choose_target
    from semafuzz.targets.model.configured_target import configure, target_itself

    code, chosen = settle_code(target, release, None, arguments or ())
    if code is not None:
        sys.exit(code)
    found = configure(choose_target(target), settings)
    with found.open(chosen) as opened:
        told = code_identity(opened.modules, opened.libraries, target_itself(found).sources)
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
