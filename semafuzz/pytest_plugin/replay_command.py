"""The command that shows a finding again, one that works when it is copied."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from semafuzz.pytest_plugin.marked_test import MarkedTest
from semafuzz.reports.terminal.plain_text import plain, script


def command(subject: MarkedTest, trace: str, patience: float) -> str:
    """How to replay this trace of the test.

    ``semafuzz replay`` where that was tried and reproduces it: a function without
    fixtures usually does, one whose module cannot be imported without pytest does not.
    Otherwise the test itself, through pytest. ``patience``: seconds for trying.
    """
    config = subject.item.config
    if subject.alone and _reproduces(Path(trace), config.invocation_params.dir, patience):
        return plain(f"{script()} replay {shlex.quote(shown(config, trace))}", 4000)
    return in_pytest(config, subject.test, Path(trace))


def in_pytest(config: pytest.Config, test: str, trace: Path) -> str:
    """How to replay the trace in its test."""
    file, separator, rest = test.partition("::")
    here = os.path.relpath(config.rootpath / file, config.invocation_params.dir)
    node = shlex.quote(here + separator + rest)
    return plain(f"{_pytest_name(config)} {node} --interleave-replay {shlex.quote(shown(config, str(trace)))}", 4000)


def shown(config: pytest.Config, path: str) -> str:
    """The path of a trace, as short as it is right in the folder of this session."""
    return min(path, os.path.relpath(path, config.invocation_params.dir), key=len) if path else ""


def _pytest_name(config: pytest.Config) -> str:
    """As this session was started: ``python -m pytest`` lets tests import from the
    current folder, ``pytest`` does not."""
    folder = config.invocation_params.dir
    arguments = getattr(config, "workerinput", {}).get("mainargv", sys.argv)
    if Path(arguments[0]).name != "__main__.py" and shutil.which("pytest"):
        return "pytest"
    if shutil.which("python") == sys.executable:
        return "python -m pytest"
    return f"{shlex.quote(min(sys.executable, os.path.relpath(sys.executable, folder), key=len))} -m pytest"


def _reproduces(trace: Path, folder: Path, patience: float) -> bool:
    """Whether ``semafuzz replay`` shows the failure, in a process of its own."""
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "semafuzz", "replay", str(trace)],
            cwd=folder,
            # As the installed command does: without this folder among those to import from.
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 1
