"""Commands of ours in a process of their own, for the JSON that they print."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from semafuzz.harness.errors import CannotJudge
from semafuzz.self_command import run_options


def json_of(arguments: Sequence[str]) -> dict[str, Any]:
    """What a command with ``--json`` answers, whatever its exit code; what it says besides goes to standard error.
    CannotJudge where it answers nothing."""
    done = subprocess.run(
        [sys.executable, *run_options(), *arguments, "--json"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (LookupError, ValueError):
        raise CannotJudge(f"`semafuzz {' '.join(arguments)}` ended with {done.returncode} and no answer") from None
    return answer
