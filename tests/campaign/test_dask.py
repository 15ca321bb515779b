"""A night on a Dask cluster: the same findings, also where its workers die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from semafuzz.campaign.on_dask import _delivery, do_shard
from semafuzz.harness.search.result import Result
from semafuzz.harness.traces.codec import MAX_BYTES
from tests.campaign.test_nightly import known_in, unmeasured
from tests.conftest import Run

ARGUMENTS = (
    "nightly",
    "reference",
    "--no-pages",
    "--set",
    "defect=missing_lock",
    "--schedules",
    "2000",
    "--seed",
    "7",
    "--shards",
    "4",
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two worker processes on this machine."""
    from distributed import LocalCluster

    monkeypatch.setenv("PYTHONHASHSEED", "0")
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        monkeypatch.delenv(name)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="", silence_logs=60) as made:
        yield made


def night_on(folder: Path, address: str, corpus: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "semafuzz", *ARGUMENTS, "--engine", "dask", "--dask", address, "--corpus", corpus],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env=unmeasured(XDG_STATE_HOME=str(folder / "state")),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.unmeasured
def test_a_worker_that_dies_costs_nothing(semafuzz: Run, cluster: Any, tmp_path: Path) -> None:
    here = semafuzz(*ARGUMENTS, "--corpus", "here")
    assert here.returncode == 1, here.stderr
    died: list[int] = []

    def kill_one() -> None:
        time.sleep(6)
        workers = [worker.pid for worker in cluster.workers.values() if worker.pid]
        died.append(workers[0])
        os.kill(workers[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    done = night_on(tmp_path, cluster.scheduler_address, "there")
    killer.join()
    assert died
    assert done.returncode == 1, done.stderr
    assert "CAME TO NO END" not in done.stdout
    assert known_in(tmp_path / "there") == known_in(tmp_path / "here")
    again = night_on(tmp_path, cluster.scheduler_address, "there")
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.slow
def test_no_scheduler_there_is_one_clear_message(semafuzz: Run) -> None:
    done = semafuzz(*ARGUMENTS, "--engine", "dask", "--dask", "tcp://127.0.0.1:9", "--corpus", "corpus")
    assert done.returncode == 4
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_dask_is_one_clear_message(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "distributed.py").write_text("raise ImportError('not installed')")
    done = semafuzz(*ARGUMENTS, "--engine", "dask", "--corpus", "corpus", PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 4
    assert "install semafuzz[dask]" in done.stderr


def test_a_shard_comes_back_with_its_traces() -> None:
    told = do_shard(("fuzz", "reference", "--set", "defect=missing_lock", "--schedules", "300", "--share", "0/1"), 120)
    assert (told["code"], told["hung"]) == (0, False), told["said"]
    result = msgspec.json.decode(told["output"].splitlines()[-1], type=Result)
    assert {Path(one.trace).name for one in result.failures} == set(told["files"])
    assert all(data.startswith(b"{") for data in told["files"].values())


def test_a_shard_that_hangs_or_fails_says_so() -> None:
    hung = do_shard(("fuzz", "reference", "--seconds", "60", "--share", "0/1"), 0.2)
    assert hung["hung"]
    failed = do_shard(("fuzz", "nosuch"), 60)
    assert failed["code"] == 4
    assert "nosuch" in failed["said"]


class Told:
    """A future that is done."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def result(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_what_comes_back_is_data_with_names_that_are_names() -> None:
    files = {"good.json": b"{}", "../wicked.json": b"{}", "a/b.json": b"{}", "large.json": b"x" * (MAX_BYTES + 1)}
    answer = {"code": 0, "hung": False, "output": "o", "said": "", "files": files}
    delivery = _delivery(Told(answer))
    assert delivery.files == {"good.json": b"{}"}
    assert delivery.ended.output == "o"
    for broken in (RuntimeError("a worker died"), {"code": 0}, None):
        delivery = _delivery(Told(broken))
        assert delivery.ended.code == -signal.SIGKILL
        assert delivery.files == {}
