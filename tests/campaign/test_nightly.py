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
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Run

SMALL = ("reference", "--set", "defect=missing_lock", "--schedules", "600", "--seed", "7", "--corpus", "corpus")


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
from targets.declared import DeclaredTarget, Violation, operation


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
    assert {one["target"] for one in found} == {"reference"}
    again = semafuzz("nightly", *SMALL)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.count("\n") == 1, "quiet where nothing is new"
    assert not (tmp_path / "corpus" / "night").exists()
    Path(tmp_path / found[0]["trace"]).unlink()
    forgotten = semafuzz("nightly", *SMALL)
    assert forgotten.returncode == 1
    assert "NEW error in reference" in forgotten.stdout
    (line,) = {line.strip() for line in forgotten.stdout.splitlines() if "semafuzz replay" in line}
    assert semafuzz(*line.split()[1:]).returncode == 1


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
    ],
)
def test_wrong_arguments_are_said_before_anything_begins(semafuzz: Run, arguments: tuple[str, ...], says: str) -> None:
    done = semafuzz("nightly", *arguments)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_search_that_comes_to_no_end_is_told(semafuzz: Run) -> None:
    done = semafuzz("nightly", "nova", "--releases", "1.2.3", "--corpus", "corpus", "--seconds", "5")
    assert done.returncode == 3
    assert "A SEARCH CAME TO NO END: 1.2.3" in done.stdout
    assert "exit code 4" in done.stdout


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "nightly", *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
    )  # fmt: skip


def check_kills(tmp_path: Path, semafuzz: Run, kills: int) -> None:
    arguments = ("reference", "--set", "defect=missing_lock", "--schedules", "600", "--seed", "3", "--jobs", "3")
    assert semafuzz("nightly", *arguments, "--corpus", "calm").returncode == 1
    generator = random.Random(kills)
    for _ in range(kills):
        process = start(tmp_path, *arguments, "--corpus", "killed")
        time.sleep(generator.uniform(0.1, 4.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert semafuzz("nightly", *arguments, "--corpus", "killed").returncode in (0, 1)
    assert known_in(tmp_path / "killed") == known_in(tmp_path / "calm")
    assert not (tmp_path / "killed" / "night").exists()


def test_a_night_that_is_killed_loses_nothing(semafuzz: Run, tmp_path: Path) -> None:
    check_kills(tmp_path, semafuzz, 4)


@pytest.mark.slow
def test_a_night_that_is_killed_fifty_times_loses_nothing(semafuzz: Run, tmp_path: Path) -> None:
    check_kills(tmp_path, semafuzz, 50)


def test_a_full_disk_is_said_and_nothing_is_lost(semafuzz: Run, tmp_path: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    full = subprocess.run(
        [sys.executable, "-m", "harness", "nightly", *SMALL],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120, preexec_fn=no_room,
    )  # fmt: skip
    assert full.returncode == 4, full.stderr
    assert "make room, and run again" in full.stderr
    assert "Traceback" not in full.stderr
    assert not list((tmp_path / "corpus").rglob("*.json"))
    assert semafuzz("nightly", *SMALL).returncode == 1


def test_two_at_once_are_refused(semafuzz: Run, tmp_path: Path) -> None:
    first = start(tmp_path, *SMALL[:-4], "--seconds", "60", "--schedules", "1000000", "--corpus", "corpus")
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "corpus" / "night" / "plan.json").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        second = semafuzz("nightly", *SMALL)
        assert second.returncode == 4
        assert "another run uses the corpus" in second.stderr
        first.send_signal(signal.SIGINT)
        assert first.wait(60) == 2
        assert (tmp_path / "corpus" / "night" / "plan.json").exists(), "it can go on"
    finally:
        first.kill()
        first.communicate()
