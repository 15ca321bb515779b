"""`semafuzz nightly`: what is news, and that nothing gets lost."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run

COUNTING = "counter_target.py:Counting"
SMALL = (COUNTING, "--no-pages", "--schedules", "100", "--seed", "7", "--corpus", "corpus")
REFERENCE = (
    "reference",
    "--no-pages",
    "--set",
    "defect=missing_lock",
    "--schedules",
    "600",
    "--seed",
    "7",
    "--corpus",
    "corpus",
)


COUNTER = """
import threading


class Counter:
    def __init__(self):
        self.lock = threading.Lock()
        self.value = 0

    def add(self):
        pass  # no lock
        self.value = self.value + 1
        if self.lock.locked():
            self.lock.release()
"""
TARGET = """
import counter
from semafuzz.targets.declared.api import DeclaredTarget, Violation, operation


class Counting(DeclaredTarget):
    modules = ("counter",)

    def start(self, configuration):
        world = counter.Counter()
        world.asked = []
        return world

    @operation()
    def add(self, world):
        world.asked.append(1)
        world.add()

    def check(self, world):
        if world.value != len(world.asked):
            yield Violation("lost", f"{len(world.asked)} were asked for, {world.value} counted")
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path) -> Path:
    """A folder with a counter that loses updates."""
    (tmp_path / "counter.py").write_text(COUNTER)
    (tmp_path / "counter_target.py").write_text(TARGET)
    return tmp_path


def news(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def known_in(corpus: Path) -> set[str]:
    return {path.name for path in (corpus / "findings").glob("*.known.json")}


def test_what_is_new_is_told_once_and_again_when_it_was_forgotten(semafuzz: Run, tmp_path: Path) -> None:
    first = semafuzz("nightly", *SMALL, "--json")
    assert first.returncode == 1, first.stderr
    found = news(first)["new"]
    assert found
    assert {one["target"] for one in found} == {COUNTING}
    again = semafuzz("nightly", *SMALL)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.count("\n") == 1, "quiet where nothing is new"
    assert not (tmp_path / "corpus" / "night").exists()
    (tmp_path / found[0]["replay"].split()[2]).unlink()
    forgotten = semafuzz("nightly", *SMALL)
    assert forgotten.returncode == 1
    assert f"NEW error in {COUNTING}" in forgotten.stdout
    commands = {line.strip() for line in forgotten.stdout.splitlines() if "semafuzz replay" in line}
    assert commands
    assert all(semafuzz(*line.split()[1:]).returncode == 1 for line in commands)


@pytest.mark.slow
@pytest.mark.unmeasured
def test_each_finding_that_is_forgotten_is_met_again(semafuzz: Run, tmp_path: Path) -> None:
    """Also one that looks like another which is still known; as news where it was the last of its cause."""
    arguments = ("nightly", *REFERENCE[:-4], "--seed", "3", "--jobs", "2", "--corpus", "corpus")
    assert semafuzz(*arguments).returncode == 1
    traces = sorted((tmp_path / "corpus" / "findings").glob("*.trace.json"))
    assert len(traces) > 1
    assert semafuzz(*arguments).returncode == 0
    for trace in traces:
        trace.unlink()
        again = semafuzz(*arguments)
        assert trace.exists()
        assert trace.name in again.stdout
        assert again.returncode == int("NEW error" in again.stdout)
        assert again.returncode == 1 or "also error" in again.stdout
    for trace in traces:
        trace.unlink()
    assert semafuzz(*arguments).returncode == 1


@pytest.mark.slow
@pytest.mark.unmeasured
def test_what_vanishes_and_returns_is_news(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(COUNTER)
    (tmp_path / "counter_target.py").write_text(TARGET)
    told = (
        "nightly",
        "counter_target.py:Counting",
        "--schedules",
        "100",
        "--seed",
        "7",
        "--corpus",
        "corpus",
        "--json",
    )
    (found,) = news(semafuzz(*told))["new"]
    (tmp_path / "counter.py").write_text(COUNTER.replace("pass  # no lock", "self.lock.acquire()"))
    mended = semafuzz(*told)
    (vanished,) = news(mended)["vanished"]
    assert (mended.returncode, vanished["signature"]) == (0, found["signature"])
    assert vanished["why"]
    assert news(semafuzz(*told))["vanished"] == [], "it is told once"
    (tmp_path / "counter.py").write_text(COUNTER)
    broken = semafuzz(*told)
    (returned,) = news(broken)["returned"]
    assert (broken.returncode, returned["signature"]) == (1, found["signature"])
    assert semafuzz(*told).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nosuch", "--corpus", "corpus"), "nosuch"),
        (("reference", "--set", "defect=nosuch", "--corpus", "corpus"), "nosuch"),
        (("reference",), "--corpus"),
        (("reference", "--releases", "1.2.3", "--corpus", "corpus"), "has no releases"),
        (("nova", "--releases", "1.2.3", "--corpus", "corpus"), "1.2.3"),
        (("reference", "--set", "defect=" + "x" * 300, "--corpus", "corpus"), "defect"),
    ],
)
def test_wrong_arguments_are_said_before_anything_begins(semafuzz: Run, arguments: tuple[str, ...], says: str) -> None:
    done = semafuzz("nightly", *arguments)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_search_that_comes_to_no_end_is_told_and_what_it_left_is_kept(semafuzz: Run, tmp_path: Path) -> None:
    crashing = TARGET.replace("world = counter.Counter()", "import os; os._exit(9)")
    (tmp_path / "counter_target.py").write_text(crashing)
    done = semafuzz("nightly", COUNTING, "--corpus", "corpus", "--seconds", "5")
    assert done.returncode == 125
    assert "A SEARCH CAME TO NO END: fuzz counter_target.py:Counting" in done.stdout
    assert "exit code 9" in done.stdout
    assert "it ran add()" in done.stdout, "the program that it died of"
    (line,) = [line for line in done.stdout.splitlines() if "what it left is in" in line]
    assert len(list((tmp_path / line.rpartition(" ")[2]).glob("shard-000-*/output"))) == 2, "of both attempts"


@pytest.mark.slow
@pytest.mark.unmeasured
def test_what_is_gone_and_met_again_by_a_search_has_returned(semafuzz: Run, tmp_path: Path) -> None:
    """Its trace fits no more and shows nothing, which is said; the search meets it all the same."""
    assert semafuzz("nightly", *REFERENCE).returncode == 1
    traces = sorted((tmp_path / "corpus" / "findings").glob("*.trace.json"))
    for trace in traces:
        record = trace.with_name(trace.name.replace(".trace.", ".known."))
        record.write_text(record.read_text().replace('"state":"kept"', '"state":"gone"'))
        trace.write_text(trace.read_text().replace('"missing_lock"', '"none"'))
    returned = semafuzz("nightly", *REFERENCE, "--json")
    assert returned.returncode == 125, "a trace could not be judged, which hides no news"
    assert len(news(returned)["returned"]) == len(traces)
    assert all("missing_lock" in trace.read_text() for trace in traces), "with a trace that shows it"
    assert semafuzz("nightly", *REFERENCE).returncode == 0


@pytest.mark.slow
def test_a_damaged_trace_is_named_before_the_night(semafuzz: Run, tmp_path: Path) -> None:
    assert semafuzz("nightly", *SMALL).returncode == 1
    trace = next((tmp_path / "corpus" / "findings").glob("*.trace.json"))
    trace.write_text("{")
    refused = semafuzz("nightly", *SMALL)
    assert refused.returncode == 4
    assert f"delete corpus/findings/{trace.name}" in refused.stderr
    assert "begins" not in refused.stderr


def unmeasured(**more: str) -> dict[str, str]:
    """The environment of processes that are killed, or cannot write what was measured."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}, **more}


def heed() -> None:
    """As in a shell that somebody sits at: what is begun in the background may ignore signals."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(folder: Path, *arguments: str, before: Callable[[], object] = heed) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "semafuzz", "nightly", *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=unmeasured(XDG_STATE_HOME=str(folder / "state")), preexec_fn=before,
    )  # fmt: skip


DIES = """
import os, sys
from semafuzz.harness.files import atomic_write
from semafuzz.campaign import corpus, night
from semafuzz.__main__ import main

left = int(sys.argv.pop(1))


def dying(function):
    def call(*arguments):
        global left
        left -= 1
        if left == 0:
            os._exit(137)
        made = function(*arguments)
        left -= 1
        if left == 0:
            os._exit(137)
        return made
    return call


corpus.atomic_write = night.atomic_write = dying(atomic_write.atomic_write)
night.CampaignState.end = dying(night.CampaignState.end)
sys.exit(main())
"""


@pytest.mark.slow
def test_a_night_that_dies_at_any_of_its_writes_loses_nothing(semafuzz: Run, tmp_path: Path) -> None:
    """Before and after every write to the corpus, and around the end of the night: what is
    found was told, and what is known is what an undisturbed night knows."""
    (tmp_path / "dies.py").write_text(DIES)
    arguments = ("nightly", *SMALL[:-2], "--jobs", "2")
    calm = semafuzz(*arguments, "--corpus", "calm")
    assert calm.returncode == 1
    told, died = "", 0
    environment = unmeasured(PYTHONHASHSEED="0", XDG_STATE_HOME=str(tmp_path / "state"))
    environment.pop("PYTHONUNBUFFERED", None)
    while True:
        done = subprocess.run(
            [sys.executable, "dies.py", str(died + 1), *arguments, "--corpus", "killed"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300, env=environment,
        )  # fmt: skip
        told += done.stdout
        if done.returncode != 137:
            break
        died += 1
    assert done.returncode in (0, 1), done.stderr
    assert died > 4
    assert known_in(tmp_path / "killed") == known_in(tmp_path / "calm")
    for name in known_in(tmp_path / "killed"):
        assert name.replace(".known.", ".trace.") in told, "told as new"
    assert not (tmp_path / "killed" / "night").exists()


@pytest.mark.slow
def test_a_night_that_is_killed_fifty_times_loses_nothing(semafuzz: Run, tmp_path: Path) -> None:
    arguments = (*REFERENCE[:-2], "--jobs", "3")
    assert semafuzz("nightly", *arguments, "--corpus", "calm").returncode == 1
    generator = random.Random(50)
    for _ in range(50):
        process = start(tmp_path, *arguments, "--corpus", "killed")
        time.sleep(generator.uniform(0.1, 4.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert semafuzz("nightly", *arguments, "--corpus", "killed").returncode in (0, 1)
    assert known_in(tmp_path / "killed") == known_in(tmp_path / "calm")
    assert not (tmp_path / "killed" / "night").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_who_ends_a_night_ends_its_searches(tmp_path: Path, number: int) -> None:
    night = start(tmp_path, "reference", "--seconds", "60", "--corpus", "corpus")
    try:
        searching = wait_for(tmp_path, "corpus/night/work/shard-000-0/pid")
        searcher = int(searching.read_text())
        night.send_signal(number)
        assert night.wait(60) == 2
        assert (tmp_path / "corpus" / "night" / "plan.json").exists(), "it can go on"
        assert not Path(f"/proc/{searcher}/cwd").exists()
    finally:
        night.kill()
        night.communicate()


def test_who_is_told_to_ignore_a_signal_goes_on(tmp_path: Path) -> None:
    night = start(tmp_path, *SMALL, "--seconds", "60", before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    try:
        wait_for(tmp_path, "corpus/night/work/shard-000-0/pid")
        night.send_signal(signal.SIGHUP)
        assert night.wait(120) == 1
    finally:
        night.kill()
        night.communicate()


@pytest.mark.slow
def test_a_night_goes_on_with_its_own_arguments_only(semafuzz: Run, tmp_path: Path) -> None:
    night = start(tmp_path, "reference", "--seconds", "60", "--corpus", "corpus")
    wait_for(tmp_path, "corpus/night/plan.json")
    night.kill()
    night.communicate()
    other = semafuzz("nightly", *SMALL)
    assert other.returncode == 4
    assert "--anew" in other.stderr
    assert semafuzz("nightly", *SMALL, "--anew").returncode == 1


def wait_for(folder: Path, name: str) -> Path:
    path, deadline = folder / name, time.monotonic() + 60
    while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists()
    return path


def test_a_full_disk_is_said_and_nothing_is_lost(semafuzz: Run, tmp_path: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    full = subprocess.run(
        [sys.executable, "-m", "semafuzz", "nightly", *SMALL],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120, preexec_fn=no_room,
        env=unmeasured(XDG_STATE_HOME=str(tmp_path / "state")),
    )  # fmt: skip
    assert full.returncode == 4, full.stderr
    assert "make room, and run again" in full.stderr
    assert "Traceback" not in full.stderr
    assert not list((tmp_path / "corpus").rglob("*.json"))
    assert semafuzz("nightly", *SMALL).returncode == 1


def test_two_at_once_are_refused(semafuzz: Run, tmp_path: Path) -> None:
    first = start(tmp_path, "reference", "--seconds", "60", "--corpus", "corpus")
    try:
        wait_for(tmp_path, "corpus/night/plan.json")
        second = semafuzz("nightly", *SMALL)
        assert second.returncode == 4
        assert "another run uses the corpus" in second.stderr
    finally:
        first.terminate()
        first.communicate()


@pytest.mark.slow
def test_a_deadline_costs_nothing_that_was_found(semafuzz: Run, tmp_path: Path) -> None:
    told = ("nightly", "reference", "--no-pages", "--set", "defect=missing_lock", "--seed", "5", "--seconds", "600")
    done = semafuzz(*told, "--schedules", "1000000", "--deadline", "15", "--corpus", "corpus")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "cut short by the deadline" in done.stdout
    assert known_in(tmp_path / "corpus")
