"""``python -m semafuzz`` and the console script.

Imports next to nothing before the process has the right hash seed, and in the parent of a search.
"""

from __future__ import annotations

import gc
import os
import sys

from semafuzz.self_command import HASH_SEED, fix_hash_seed, run_options
from semafuzz.supervisor import CHANNEL, supervise

SUPERVISED = frozenset({"check", "replay", "shrink", "fuzz"})
"""Commands that run a program of the user's in their own process."""


def main() -> None:
    """The console script."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in SUPERVISED and CHANNEL not in os.environ:
        command = [sys.executable, *run_options(), *arguments]
        sys.exit(supervise(command, {**os.environ, "PYTHONHASHSEED": HASH_SEED}))
    fix_hash_seed()
    from semafuzz.child_channel import give_verdict, open_channel
    from semafuzz.cli import run

    open_channel()
    code = run(arguments)
    give_verdict(code)
    # What a long search has made is not gone through once more at the end, which takes seconds.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
