"""A night on a Dask cluster: the same findings, also where its workers die."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from semafuzz.campaign.far_process import FOLDER, MARK, Order, code_folder, differences, obey, unpack
from semafuzz.campaign.on_dask import read_answer
from semafuzz.campaign.sent_code import archive
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
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=60) as made:
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
    where = ("--engine", "dask", "--dask", "tcp://127.0.0.1:9", "--wait", "1")
    done = semafuzz(*ARGUMENTS, *where, "--corpus", "corpus")
    assert done.returncode == 4
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_dask_is_one_clear_message(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "distributed.py").write_text("raise ImportError('not installed')")
    done = semafuzz(*ARGUMENTS, "--engine", "dask", "--corpus", "corpus", PYTHONPATH=str(tmp_path / "hidden"))
    assert done.returncode == 4
    assert "install semafuzz[dask]" in done.stderr


FUZZ = ("fuzz", "reference", "--set", "defect=missing_lock", "--out", f"{FOLDER}/out")


def test_an_order_comes_back_with_its_traces() -> None:
    told = obey(Order("one", (*FUZZ, "--schedules", "300", "--share", "0/1"), 120))
    assert (told["code"], told["hung"], told["refused"]) == (0, False, []), told["said"]
    result = msgspec.json.decode(told["output"].splitlines()[-1], type=Result)
    assert {Path(one.trace).name for one in result.failures} == set(told["files"])
    assert all(data.startswith(b"{") for data in told["files"].values())
    assert "||" in told["under_way"]
    assert not differences(code_identity_of("reference"), result.code)


def test_one_that_hangs_or_fails_says_so() -> None:
    hung = obey(Order("one", (*FUZZ, "--seconds", "60", "--share", "0/1"), 0.2))
    assert hung["hung"]
    failed = obey(Order("one", ("fuzz", "nosuch"), 60))
    assert failed["code"] == 4
    assert "nosuch" in failed["said"]


def code_identity_of(target: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "semafuzz", "identify", target], capture_output=True, text=True, check=True
    )
    told: dict[str, str] = msgspec.json.decode(done.stdout)
    return told


def test_other_code_is_refused_before_it_is_run() -> None:
    here = code_identity_of("reference")
    identify = ("identify", "reference")
    order = Order("one", (*FUZZ, "--schedules", "50", "--share", "0/1"), 120, identify, here)
    assert obey(order)["refused"] == []
    other = {**here, "semafuzz": "0123456789abcdef", "code nova": "1"}
    del other["python"]
    assert obey(replace(order, expected=other)) == {
        "worker": "this process",
        "refused": [
            "its code nova is missing, here it is 1",
            f"its python is {here['python']}, here it is missing",
            f"its semafuzz is {here['semafuzz']}, here it is 0123456789abcdef",
        ],
    }
    mute = obey(replace(order, identify=("identify", "nosuch")))
    assert "does not tell the code that it has" in mute["refused"][0]
    assert obey(replace(order, code="0" * 32))["refused"] == [
        f"the code that was sent could not be kept in {code_folder('0' * 32)}"
    ]


def test_the_code_of_a_target_is_told_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def one():\n    return 1\n")
    own = tmp_path / "own.py"
    own.write_text("import helper\n\nclass Own:\n    def get(self):\n        return helper.one()\n")
    before = code_identity_of(f"{own}:Own")
    assert code_identity_of(f"{own}:Own") == before
    (tmp_path / "helper.py").write_text("def one():\n    return 2\n")
    [told] = differences(before, code_identity_of(f"{own}:Own"))
    assert told.startswith("its file helper.py is ")


def test_code_that_is_sent_runs_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    digest, data = archive()
    unpack(digest, data)
    unpack(digest, b"it is there already")
    assert sorted(path.name.partition("-")[0] for path in code_folder(digest).iterdir())[0] == "semafuzz"
    # The package of this checkout is told by its files, wherever these lie.
    order = Order("one", ("list", "targets"), 60, ("identify", "reference"), code_identity_of("reference"), code=digest)
    monkeypatch.chdir(tmp_path)
    told = obey(order)
    assert told["refused"] == []
    assert "reference" in told["output"]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_what_a_worker_started_ends_with_it(tmp_path: Path) -> None:
    sleep = "import time; time.sleep(600)"
    child = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {sleep!r}], start_new_session=True); {sleep}"
    )
    worker = f"""
import os, subprocess, sys, time
from semafuzz.campaign.far_process import LEASH, MARK
subprocess.Popen([sys.executable, "-I", "-S", "-c", LEASH, sys.executable, "-c", {child!r}], stdin=subprocess.PIPE,
                 start_new_session=True, env={{**os.environ, MARK: {str(tmp_path)!r}}})
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", worker])
    deadline = time.monotonic() + 60
    while len(marked(tmp_path)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(marked(tmp_path)) == 3
    process.kill()
    process.wait()
    while marked(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(tmp_path) == []


def marked(folder: Path) -> list[int]:
    """The processes with this mark, the dead ones left out."""
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdigit() and f"{MARK}={folder}".encode() in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


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
    told = {
        "worker": "w", "refused": [], "stopped": False, "code": 0, "hung": False, "output": "o", "said": "",
        "files": files, "under_way": "claim",
    }  # fmt: skip
    answer, trouble = read_answer(Told(told))
    assert answer is not None, trouble
    assert answer.delivery.files == {"good.json": b"{}"}
    assert answer.delivery.ended.output == "o"
    for broken in (RuntimeError("a worker died"), {"code": 0}, None):
        answer, trouble = read_answer(Told(broken))
        assert answer is None
        assert trouble
