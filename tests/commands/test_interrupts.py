"""Who presses Ctrl-C keeps what was found, and sees it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from semafuzz.commands.common import release_process
from semafuzz.targets.nova.target import NovaTarget
from tests.campaign.test_nightly import heed, unmeasured


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_was_found_is_told(tmp_path: Path, jobs: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "semafuzz", "fuzz", "reference", "--set", "defect=missing_lock", "--seconds", "90",
         "--seed", "7", "--jobs", jobs, "--out", "out", "--json"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed,
        env=unmeasured(XDG_STATE_HOME=str(tmp_path / "state")),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 80
        while not list((tmp_path / "out").rglob("raw/*.json")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        # Twice, as `timeout` does: to the command and then to its group.
        process.send_signal(signal.SIGINT)
        time.sleep(0.001)
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


WAITS = """
import pathlib, time
pathlib.Path("begun").touch()
try:
    time.sleep(2)
except KeyboardInterrupt:
    raise SystemExit(7)
"""


@pytest.mark.parametrize(("typed", "code"), [(True, 0), (False, 7)])
def test_the_process_of_another_release_hears_of_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, press: Callable[[], None], typed: bool, code: int
) -> None:
    """What is typed at a terminal reaches it by itself."""
    (tmp_path / "waits.py").write_text(WAITS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(release_process, "run_options", lambda: ["waits.py"])
    monkeypatch.setattr(release_process, "_is_at_terminal", lambda: typed)
    monkeypatch.setattr(NovaTarget, "python_for", lambda *_: sys.executable)

    def interrupt() -> None:
        while not Path("begun").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        press()

    presser = threading.Thread(target=interrupt)
    presser.start()
    assert release_process.run_elsewhere(NovaTarget(), "1.2.3", ["replay"]) == code
    presser.join()
