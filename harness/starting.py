"""How this semafuzz is started in a new process."""

from __future__ import annotations

import sys


def run_options() -> list[str]:
    """What follows the name of the Python, and comes before the arguments.

    Without the current folder on the path, unless semafuzz was started from there: a
    folder with the name of one of our packages must not be taken for it.
    """
    started_here = (sys.argv[0] if sys.argv else "").endswith("__main__.py") and not sys.flags.safe_path
    return ([] if started_here else ["-P"]) + ["-m", "harness"]
