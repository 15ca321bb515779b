"""A disk without room: what is found is told, shown, and gives its exit code."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

ARGUMENTS = ("fuzz", "reference", "--set", "defect=missing_lock", "--schedules", "2000", "--out", "out")


def on_a_full_disk(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    return subprocess.run(
        [sys.executable, "-m", "semafuzz", *arguments],
        cwd=folder, capture_output=True, text=True, check=False, timeout=120, preexec_fn=no_room,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), "COLUMNS": "160"},
    )  # fmt: skip


def test_fuzz_tells_what_it_found(tmp_path: Path) -> None:
    done = on_a_full_disk(tmp_path, *ARGUMENTS)
    assert done.returncode == 1, done.stderr
    assert "lost" in done.stdout or "invariant" in done.stdout
    assert "the trace follows" in done.stderr
    assert "Traceback" not in done.stderr
    assert "nothing was found" not in done.stdout + done.stderr


def test_so_it_does_for_a_program(tmp_path: Path) -> None:
    done = on_a_full_disk(tmp_path, *ARGUMENTS, "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["verdict"] == "found"
    assert all(not one["trace"] for one in told["failures"])
