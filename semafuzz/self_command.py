"""The command that starts this semafuzz in a new process."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

HASH_SEED = "0"
"""That of every process: the order of sets is the same in all, and a trace replays in all."""


def run_options() -> list[str]:
    """What follows the name of the Python, and comes before the arguments.

    Without the current folder on the path, unless semafuzz was started from there: a
    folder with the name of one of our packages must not be taken for it.
    """
    started_here = (sys.argv[0] if sys.argv else "").endswith("__main__.py") and not sys.flags.safe_path
    return ([] if started_here else ["-P"]) + ["-m", "semafuzz"]


def fix_hash_seed() -> None:
    """Start this process again with the fixed hash seed, unless it has it."""
    if os.environ.get("PYTHONHASHSEED") == HASH_SEED:
        return
    environment = {**os.environ, "PYTHONHASHSEED": HASH_SEED}
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *run_options(), *sys.argv[1:]], environment)


def start_apart(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start this semafuzz with other arguments; its standard output is read here.

    It has a process group of its own: who interrupts us must not interrupt it a second
    time, while it tells what it found.
    """
    import subprocess

    command = [sys.executable, *run_options(), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)
