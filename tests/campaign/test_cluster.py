"""A night on a real cluster without a common folder: what may not be counted, and what must not be lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from semafuzz.campaign.plan import Shard
from tests.campaign.real_cluster import RealCluster
from tests.campaign.test_nightly import known_in, unmeasured
from tests.conftest import ROOT, Run

NIGHT = ("nightly", "reference", "--no-pages", "--set", "defect=missing_lock", "--seed", "7", "--shards", "3", "--json")
SMALL = (*NIGHT, "--schedules", "450")

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RealCluster]:
    """A scheduler, without a worker yet."""
    (tmp_path / "cluster").mkdir()
    made = RealCluster(tmp_path / "cluster")
    yield made
    made.close()


def begin(folder: Path, cluster: RealCluster, *more: str) -> subprocess.Popen[str]:
    there = ["--engine", "dask", "--dask", cluster.address, "--corpus", "there", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "semafuzz", *SMALL, *there], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=unmeasured(XDG_STATE_HOME=str(folder / "state")),
    )  # fmt: skip


def copy_of_the_package(folder: Path) -> Path:
    """Another semafuzz: its tracker takes no lock where this one does."""
    for name in ("semafuzz", "harness", "reports", "strategies", "targets"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    tracker = folder / "targets" / "reference" / "tracker.py"
    tracker.write_text(tracker.read_text() + "\n# Another one.\n")
    return folder


def test_a_worker_with_other_code_is_refused_by_name(semafuzz: Run, cluster: RealCluster, tmp_path: Path) -> None:
    here = semafuzz(*SMALL, "--corpus", "here")
    assert here.returncode == 1, here.stderr
    other = copy_of_the_package(tmp_path / "other")
    cluster.start_worker(PYTHONPATH=str(other))
    refused, told = begin(tmp_path, cluster, "--wait", "20").communicate(timeout=300)
    answer = json.loads(refused)
    assert [one["what"] for one in answer["not_searched"]] == [f"reference, part {number} of 3" for number in (1, 2, 3)]
    assert "its library semafuzz.targets.reference.tracker is" in answer["not_searched"][0]["why"]
    assert answer["schedules"] == 0
    assert "is refused: its library" in told
    assert "Traceback" not in told
    # The same command goes on where it was, once somebody is there who may.
    cluster.start_worker()
    done = begin(tmp_path, cluster)
    found, told = done.communicate(timeout=300)
    assert done.returncode == 1, told
    assert json.loads(found)["not_searched"] == []
    assert known_in(tmp_path / "there") == known_in(tmp_path / "here")
    # Or with the code that is here, which has the same effect.
    sent = begin(tmp_path, cluster, "--send-code", "--anew")
    found, told = sent.communicate(timeout=300)
    assert sent.returncode == 0, told
    assert "refused" not in told


def test_a_shard_that_is_killed_each_time_is_told_with_its_program(cluster: RealCluster, tmp_path: Path) -> None:
    # As the system's limit of memory does it.
    deadly = tmp_path / "deadly.py"
    deadly.write_text(
        "import os, signal\nfrom semafuzz.targets.declared.api import DeclaredTarget, operation\n\n\n"
        "class Deadly(DeclaredTarget):\n    def start(self, configuration):\n        return None\n\n"
        "    @operation()\n    def fill(self, world):\n        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    cluster.start_worker()
    told = ["nightly", f"{deadly}:Deadly", "--no-pages", "--seed", "1", "--schedules", "50", "--json", "--corpus", "c"]
    done = subprocess.run(
        [sys.executable, "-m", "semafuzz", *told, "--engine", "dask", "--dask", cluster.address],
        cwd=tmp_path, env=unmeasured(XDG_STATE_HOME=str(tmp_path / "state")),
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 125, done.stderr
    [lost] = json.loads(done.stdout)["not_searched"]
    assert "ended by signal SIGKILL" in lost["why"]
    assert "it ran fill()" in lost["why"]
    assert "## Not searched: 1 of 1" in (tmp_path / "c" / "summary.md").read_text()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_client_and_the_night_goes_on(
    semafuzz: Run, cluster: RealCluster, tmp_path: Path, how: signal.Signals
) -> None:
    cluster.start_worker()
    begun = begin(tmp_path, cluster)
    searches = cluster_processes(tmp_path)
    deadline = time.monotonic() + 60
    while not searches and time.monotonic() < deadline:
        time.sleep(0.1)
        searches = cluster_processes(tmp_path)
    assert searches
    begun.send_signal(how)
    begun.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while cluster_processes(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert cluster_processes(tmp_path) == []
    done = begin(tmp_path, cluster)
    told = done.communicate(timeout=300)[1]
    assert done.returncode == 1, told
    assert "goes on" in told
    assert semafuzz(*SMALL, "--corpus", "here").returncode == 1
    assert known_in(tmp_path / "there") == known_in(tmp_path / "here")


def cluster_processes(folder: Path) -> list[int]:
    """The searches that run on the workers of this test."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            variables = (place / "environ").read_bytes().split(b"\0") if place.name.isdigit() else []
        except OSError:
            continue
        if any(one.startswith(b"SEMAFUZZ_FAR_PROCESS=") for one in variables) and any(
            one.startswith(os.fsencode(f"XDG_CACHE_HOME={folder}")) for one in variables
        ):
            found.append(int(place.name))
    return found


def test_a_scheduler_that_comes_back_costs_nothing(semafuzz: Run, cluster: RealCluster, tmp_path: Path) -> None:
    first = cluster.start_worker()
    begun = begin(tmp_path, cluster)
    deadline = time.monotonic() + 60
    while not cluster_processes(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(cluster.scheduler.pid, signal.SIGKILL)
    cluster.scheduler.wait()
    time.sleep(1)
    cluster.start_scheduler()
    with_the_old_one_gone = first.wait(timeout=60) is not None
    assert with_the_old_one_gone
    cluster.start_worker()
    told = begun.communicate(timeout=300)[1]
    assert begun.returncode == 1, told
    assert "Traceback" not in told
    assert semafuzz(*SMALL, "--corpus", "here").returncode == 1
    assert known_in(tmp_path / "there") == known_in(tmp_path / "here")


def test_no_worker_is_one_line(cluster: RealCluster, tmp_path: Path) -> None:
    lonely = begin(tmp_path, cluster, "--wait", "2")
    _, told = lonely.communicate(timeout=120)
    assert lonely.returncode == 4
    assert told.splitlines()[-1].startswith(f"semafuzz: no worker joined the Dask scheduler at {cluster.address}")


def test_processes_shards_and_a_cluster_find_the_same(semafuzz: Run, cluster: RealCluster, tmp_path: Path) -> None:
    for _ in range(3):
        cluster.start_worker()
    there = begin(tmp_path, cluster)
    told = there.communicate(timeout=300)[1]
    assert there.returncode == 1, told
    assert semafuzz(*SMALL, "--corpus", "here", "--jobs", "2").returncode == 1
    traces = {path.name: path.read_bytes() for path in (tmp_path / "there" / "findings").glob("*.trace.json")}
    assert traces == {path.name: path.read_bytes() for path in (tmp_path / "here" / "findings").glob("*.trace.json")}

    seed = str(Shard("reference", "", 0, 3, 7, 1, 1.0).seed)
    search = ("fuzz", "reference", "--set", "defect=missing_lock", "--seed", seed)
    assert semafuzz(*search, "--schedules", "450", "--jobs", "3", "--out", "jobs").returncode == 1
    for part in (1, 2, 3):
        semafuzz(*search, "--schedules", "150", "--shard", f"{part}/3", "--out", f"part-{part}")
    assert semafuzz("merge", "part-1", "part-3", "part-2", "--into", "all").returncode == 0
    by_jobs, by_merge = ({path.name for path in (tmp_path / name).glob("*.json")} for name in ("jobs", "all"))
    signatures = {f"{json.loads(data)['expected']['signature']}.json" for data in traces.values()}
    assert by_jobs == by_merge == signatures
