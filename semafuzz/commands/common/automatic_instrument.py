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

from semafuzz.harness.runs.budget import Deadline
from semafuzz.self_command import run_options

AUTO = "auto"
ROUNDS = 4
LONGEST = 10.0
"""Seconds for one of these searches, at most."""
TELLING = frozenset({"linecache", "tokenize", "traceback", "bdb", "cmd", "pdb"})
"""Modules that tell of a program and are none of it: a thread that dies of an exception has them print it, by caches
that are cold in one process and warm in the next."""
PART = 0.25
"""The part of the time of a search that they may have together."""
STARTING = 2.0
"""Seconds that a process takes to start and to import the program, at most in most cases."""


def resolve(spec: str, instrument: Sequence[str], seconds: float | None = None) -> tuple[str, ...]:
    """The names in ``instrument``, with those that *auto* stands for in its place. ``seconds``: what the search
    proper has, of which this takes a part."""
    if AUTO not in instrument:
        return tuple(instrument)
    names = [name for name in instrument if name != AUTO]
    until = Deadline(None if seconds is None else PART * seconds)
    for _ in range(ROUNDS):
        added = [name for name in _not_watched(spec, names, min(LONGEST, max(0.5, until.left))) if name not in names]
        names += added
        if not added or until.passed:
            break
    return tuple(names)


def _not_watched(spec: str, names: Sequence[str], seconds: float) -> list[str]:
    options = [option for name in names for option in ("--instrument", name)]
    with tempfile.TemporaryDirectory() as folder:
        limits = ["--schedules", "40", "--seconds", str(seconds), "--survey", "--json", "--out", folder]
        command = [sys.executable, *run_options(), "check", spec, *options, *limits]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=seconds + LONGEST + STARTING,
            )
        except subprocess.TimeoutExpired:
            return []
    try:
        told = [str(name) for name in json.loads(done.stdout.splitlines()[-1])["not_watched"]]
        return [name for name in told if name.partition(".")[0] not in TELLING]
    except (LookupError, ValueError, TypeError):
        return []
