"""Releases that need a process of their own: the same command, run in one.

Only one Nova can be imported in a process, and the first process of a command may
have been started for another.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semafuzz.harness.errors import UsageError
from semafuzz.harness.traces.codec import read
from semafuzz.harness.traces.schema import Operations
from semafuzz.self_command import run_options

if TYPE_CHECKING:
    from semafuzz.targets.model.protocol import Target

MARK = "SEMAFUZZ_RELEASE_PROCESS"
"""Set in the processes that are made here, to the release that they are for."""


def run_elsewhere(target: Target, release: str, arguments: Sequence[str]) -> int | None:
    """Run this command again where ``release`` is, and return its exit code.

    None where this process can do it itself. UsageError where the release cannot be
    had; that is told here, before a process is made.
    """
    from semafuzz.targets.model.protocol import Released

    if not isinstance(target, Released) or not release or os.environ.get(MARK) == release:
        return None
    python = target.python_for(release)
    if python is None:
        return None
    root = str(Path(__file__).resolve().parents[3])
    # Another environment does not have semafuzz: it runs from where it is.
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    process = subprocess.Popen(
        [python, *run_options(), *arguments], env={**os.environ, MARK: release, "PYTHONPATH": path}
    )
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # One that was typed reaches both processes, and a second one would be one too many.
            if not _is_at_terminal():
                process.send_signal(signal.SIGINT)


def _is_at_terminal() -> bool:
    """Whether what is typed at a terminal reaches this process, and all of its group."""
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def choose_code(target: Target, release: str, source: Path | None) -> str:
    """Have the process run this release, or this source tree, of a target; the release
    to open it with. UsageError for a target that knows no source trees."""
    from semafuzz.targets.model.protocol import Released

    if source is None:
        return release
    if not isinstance(target, Released):
        raise UsageError(f"--source goes with Nova; the target {target.name} has one source, its own")
    return target.choose_source(source)


def settle_code(name: str, release: str, source: Path | None, arguments: Sequence[str]) -> tuple[int | None, str]:
    """Settle which code of a target a command works on.

    The exit code of another process, where that did it; or else the release to open
    the target with in this one. ``arguments``: the command, for the other process.
    """
    from semafuzz.targets import find_target
    from semafuzz.targets.declared.loading import is_spec

    if release and source is not None:
        raise UsageError("--release and --source exclude each other; give one of them")
    if is_spec(name):
        if source is not None:
            raise UsageError("--source goes with Nova; a target of your own is the file that you name")
        return None, release
    target = find_target(name)
    code = run_elsewhere(target, release, arguments) if source is None and arguments else None
    return code, release if code is not None else choose_code(target, release, source)


def settle_trace(path: Path, release: str, source: Path | None, arguments: Sequence[str]) -> int | None:
    """The same for a command on a trace, which by default works on the release that
    made it: the exit code of another process, or None where this one is to do it."""
    if release and source is not None:
        raise UsageError("--release and --source exclude each other; give one of them")
    trace = read(path)
    if not isinstance(trace.program, Operations) or source is not None or not arguments:
        return None
    # Here, since commands on traces of checked functions need no target.
    from semafuzz.targets import find_target
    from semafuzz.targets.declared.target import DECLARED

    if trace.target == DECLARED:
        return None
    return run_elsewhere(find_target(trace.target), release or trace.release, arguments)
