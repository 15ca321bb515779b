"""A Dask cluster of processes that share no folder, as machines do not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.campaign.test_nightly import unmeasured


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class RealCluster:
    """A scheduler, and workers that join it. ``close`` must be called at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()

    def start_scheduler(self) -> None:
        """Start it, or start it again."""
        port = ["--host", "127.0.0.1", "--port", str(self._port), "--dashboard-address", "127.0.0.1:0", "--no-show"]
        self.scheduler = self._start("scheduler", self._folder, port, {})

    def start_worker(self, **changed: str) -> subprocess.Popen[bytes]:
        """Have another one join, with these variables changed."""
        folder = self._folder / f"worker-{len(self.workers)}"
        folder.mkdir()
        own = {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_STATE_HOME": str(folder / "state"), **changed}
        told = [self.address, "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder)]
        self.workers.append(self._start("worker", folder, told, own))
        return self.workers[-1]

    def _start(self, what: str, folder: Path, told: list[str], changed: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", f"distributed.cli.dask_{what}", *told]
        with (folder / f"{what}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, start_new_session=True, env=unmeasured(**changed)
            )

    def close(self) -> None:
        """End all of it."""
        for process in (*self.workers, self.scheduler):
            with_group = process.poll() is None
            if with_group:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
