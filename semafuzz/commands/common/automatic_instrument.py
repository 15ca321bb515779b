"""``--instrument auto``: which modules are to be looked into, as a short search tells.

What ran in two tasks without being looked into is known only when it has run. A search of some
schedules in a process of its own says it, so that the search proper begins in a fresh one; what is
looked into then may call on more, so it is asked again until nothing is added.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from semafuzz.self_command import run_options

AUTO = "auto"
ROUNDS = 4
_SEARCH = ("--schedules", "40", "--seconds", "10", "--keep-going", "--json")


def resolve(spec: str, instrument: Sequence[str]) -> tuple[str, ...]:
    """The names in ``instrument``, with those that *auto* stands for in its place."""
    if AUTO not in instrument:
        return tuple(instrument)
    names = [name for name in instrument if name != AUTO]
    for _ in range(ROUNDS):
        added = [name for name in _not_watched(spec, names) if name not in names]
        if not added:
            break
        names += added
    return tuple(names)


def _not_watched(spec: str, names: Sequence[str]) -> list[str]:
    options = [option for name in names for option in ("--instrument", name)]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *run_options(), "check", spec, *options, *_SEARCH, "--out", folder]
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    try:
        return [str(name) for name in json.loads(done.stdout.splitlines()[-1])["not_watched"]]
    except (LookupError, ValueError, TypeError):
        return []
