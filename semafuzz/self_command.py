"""The command that starts this semafuzz in a new process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


def run_options() -> list[str]:
    """What follows the name of the Python, and comes before the arguments.

    Without the current folder on the path, unless semafuzz was started from there: a
    folder with the name of one of our packages must not be taken for it.
    """
    started_here = (sys.argv[0] if sys.argv else "").endswith("__main__.py") and not sys.flags.safe_path
    return ([] if started_here else ["-P"]) + ["-m", "semafuzz"]


def start_apart(arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start this semafuzz with other arguments; its standard output is read here.

    It has a process group of its own: who interrupts us must not interrupt it a second
    time, while it tells what it found.
    """
    command = [sys.executable, *run_options(), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)
