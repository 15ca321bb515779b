"""Who presses Ctrl-C keeps what was found, and sees it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.campaign.test_nightly import heed, unmeasured


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_was_found_is_told(tmp_path: Path, jobs: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "fuzz", "reference", "--set", "defect=missing_lock", "--seconds", "90",
         "--seed", "7", "--jobs", jobs, "--out", "out", "--json"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed,
        env=unmeasured(XDG_STATE_HOME=str(tmp_path / "state")),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 80
        while not list((tmp_path / "out").rglob("raw/*.json")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 2, errors
    assert "interrupted; above is what was found so far" in errors
    assert "Traceback" not in errors
    answer = json.loads(out.splitlines()[-1])
    assert answer["interrupted"] is True
    assert answer["schedules"] > 0
    assert (tmp_path / "out" / "search.summary").exists()
    kept = list((tmp_path / "out").rglob("*.json"))
    assert len(kept) >= max(1, len(answer["failures"]))
