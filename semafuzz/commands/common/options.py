"""Options that several commands have in common."""

from __future__ import annotations

from pathlib import Path

import click

from semafuzz.harness.files.traces_folder import DEFAULT

seed = click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Root of all choices.")
scheduler = click.option(
    "--scheduler", default="portfolio", show_default=True, help="How to search; see `semafuzz list`."
)
model = click.option(
    "--model",
    type=click.Choice(["threads", "gil", "eventlet"]),
    default="threads",
    show_default=True,
    help="Where a switch can happen: at any shared access; only where CPython with the GIL gives way (calls, the "
    "beginning of functions, loops); or only where a task blocks, sleeps or does I/O.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, last.")
detect = click.option(
    "--detect",
    multiple=True,
    metavar="NAME",
    help="Also run this detector (repeatable), such as lockset: which lock seems to guard what. See `semafuzz list`. "
    "`check` looks at lock-order and lock-use by itself, unless it is none.",
)
out = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(DEFAULT),
    show_default=True,
    help="Folder for traces of what is found.",
)
what_if = click.option(
    "--what-if",
    "what_if",
    multiple=True,
    metavar="REMEDY",
    help="Try a remedy without changing a file (repeatable): 'lock METHOD with NAME', or 'hold NAME from METHOD:LINE "
    "to METHOD:LINE'.",
)
fault = click.option(
    "--fault",
    "fault",
    multiple=True,
    metavar="CALL=EXCEPTION",
    help="A call that may fail (repeatable), such as save=OSError; for any class.",
)
leaving = click.option(
    "--faults", "leaving", is_flag=True, help="Every call that leaves the process may fail: files, sockets, processes."
)
settings = click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set an option of the target (repeatable)."
)


def _names(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


operations = click.option(
    "--operations",
    default="",
    metavar="A,B,...",
    callback=_names,
    help="Make programs of these operations only; a wrong name shows which there are.",
)
release = click.option(
    "--release", default="", metavar="X", help="This release of Nova; fetched into the user's cache if need be."
)
source = click.option(
    "--source",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The Nova in this checkout or unpacked sdist instead.",
)


def _shard(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, int]:
    number, _, of = value.partition("/")
    if not (number.isascii() and number.isdigit() and of.isascii() and of.isdigit()):
        raise click.BadParameter("give it as K/N, for instance 2/4")
    if not 1 <= int(number) <= int(of) <= 10_000:
        raise click.BadParameter("K goes from 1 to N, and N to 10000")
    return int(number) - 1, int(of)


shard = click.option(
    "--shard",
    default="1/1",
    metavar="K/N",
    callback=_shard,
    help="Do the K-th of N parts of the small programs, with a budget of its own; see `semafuzz merge`.",
)
