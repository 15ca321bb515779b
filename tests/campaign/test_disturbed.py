"""A long campaign with everything going wrong, against the same one in peace.

Searches are killed, hang and run out of memory, the disk is full, and the supervisor is
killed fifty times. Nothing that is found may be lost, and no search may be made more than
twice.
"""

from __future__ import annotations

import collections
import contextlib
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

import pytest

from tests.campaign.test_nightly import known_in, unmeasured

SHARDS = 36
COUNTER = """
class Counter:
    def __init__(self):
        self.values = [0] * 6

    def add(self, which):
        self.values[which] = self.values[which] + 1
"""
TARGET = """
import json, os, sys, time
from pathlib import Path

import counter
from semafuzz.targets.declared.api import DeclaredTarget, Violation, operation

SHARE = sys.argv[sys.argv.index("--share") + 1] if "--share" in sys.argv else ""
HERE = Path(__file__).parent
begun = False


def begin():
    '''Tell that this search has begun, and go wrong where that is planned, once.'''
    global begun
    if begun or not SHARE or os.environ.get("IN_PEACE"):
        return
    begun = True
    with (HERE / "begun.log").open("a") as log:
        log.write(SHARE + "\\n")
    time.sleep(1)
    plan = HERE / ("plan-" + SHARE.replace("/", "-"))
    try:
        trouble = plan.read_text()
        plan.unlink()
    except FileNotFoundError:
        return
    if trouble == "hangs":
        time.sleep(10_000)
    if trouble == "memory":
        held = [bytearray(1 << 20) for _ in range(1 << 20)]
    os._exit(9)


class Counting(DeclaredTarget):
    modules = ("counter",)

    def start(self, configuration):
        begin()
        world = counter.Counter()
        world.asked = [0] * 6
        return world

    @operation(which=range(6))
    def add(self, world, which):
        world.asked[which] += 1
        world.add(which)

    def check(self, world):
        for which, (asked, counted) in enumerate(zip(world.asked, world.values)):
            if asked != counted:
                yield Violation(f"lost {which}", f"{asked} were asked for, {counted} counted")
"""
NIGHTLY = """
import sys
from semafuzz.commands import nightly
from semafuzz.__main__ import main

# The searches take a few seconds of the fifty that each has; one that hangs is to be
# noticed while somebody waits for the test.
nightly.GRACE = -75.0
sys.exit(main())
"""
ARGUMENTS = (
    "nightly", "counter_target.py:Counting", "--no-pages", "--schedules", str(SHARDS * 40), "--seconds", "600",
    "--seed", "7", "--jobs", "3", "--shards", str(SHARDS), "--memory", "1024",
)  # fmt: skip


def start(folder: Path, corpus: str, before: Callable[[], object] | None = None, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "night.py", *ARGUMENTS, "--corpus", corpus],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=before,
        env=unmeasured(PYTHONHASHSEED="0", XDG_STATE_HOME=str(folder / "state"), **more),
    )  # fmt: skip


def no_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def begun_by(folder: Path) -> collections.Counter[str]:
    """How often each search was begun."""
    return collections.Counter((folder / "begun.log").read_text().split())


@pytest.mark.slow
def test_a_disturbed_campaign_loses_nothing_and_repeats_little(tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(COUNTER)
    (tmp_path / "counter_target.py").write_text(TARGET)
    (tmp_path / "night.py").write_text(NIGHTLY)
    calm = start(tmp_path, "calm", IN_PEACE="yes")
    assert "new" in calm.communicate(timeout=600)[0]
    assert calm.returncode == 1
    generator = random.Random(50)
    errors = generator.sample(range(SHARDS), 9)
    for number, trouble in zip(errors, ["hangs", "memory", "dies"] * 3, strict=True):
        (tmp_path / f"plan-{number}-{SHARDS}").write_text(trouble)
    killed: set[str] = set()
    for number in range(50):
        supervisor = start(tmp_path, "disturbed", no_room if number in (5, 25) else None)
        deadline = time.monotonic() + generator.uniform(0.3, 1.7)
        while time.monotonic() < deadline and supervisor.poll() is None:
            time.sleep(0.1)
            if generator.random() < 0.05:
                kill_a_search(tmp_path, killed, {str(one) for one in errors}, generator)
        supervisor.send_signal(signal.SIGKILL)
        said = supervisor.communicate()[0]
        wanted = (4, -signal.SIGKILL) if number in (5, 25) else (-signal.SIGKILL,)
        assert supervisor.returncode in wanted, f"the campaign is too short for so many kills: {said}"
    last = start(tmp_path, "disturbed")
    said = last.communicate(timeout=600)[0]
    assert last.returncode in (0, 1), said
    assert "CAME TO NO END" not in said
    assert known_in(tmp_path / "disturbed") == known_in(tmp_path / "calm")
    assert len(known_in(tmp_path / "calm")) > 1
    begun = begun_by(tmp_path)
    assert len(begun) == SHARDS
    assert max(begun.values()) <= 2, begun
    assert killed, "some search was killed"
    assert not list(tmp_path.glob("plan-*")), "all that was planned went wrong"
    assert not (tmp_path / "disturbed" / "night").exists()


def kill_a_search(folder: Path, killed: set[str], spared: set[str], generator: random.Random) -> None:
    """One that was neither killed before nor goes wrong by itself: twice is no accident."""
    running = []
    for file in (folder / "disturbed" / "night" / "work").glob("shard-*/pid"):
        name = str(int(file.parent.name.split("-")[1]))
        with contextlib.suppress(OSError, ValueError):
            number = int(file.read_text())
            if b"--share" in Path(f"/proc/{number}/cmdline").read_bytes() and name not in killed | spared:
                running.append((name, number))
    if running and len(killed) < 4:
        name, number = generator.choice(running)
        begun = (folder / "begun.log").read_text().split() if (folder / "begun.log").exists() else []
        if f"{name}/{SHARDS}" in begun:
            killed.add(name)
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.unmeasured
def test_a_search_that_outlives_its_supervisor_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(COUNTER)
    (tmp_path / "counter_target.py").write_text(TARGET)
    (tmp_path / "night.py").write_text(NIGHTLY)
    first = start(tmp_path, "corpus")
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun.log").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    again = start(tmp_path, "corpus")
    said = again.communicate(timeout=300)[0]
    assert again.returncode == 1, said
    assert "goes on" in said
    assert set(begun_by(tmp_path).values()) == {1}
    assert json.loads(next((tmp_path / "corpus" / "findings").glob("*.known.json")).read_text())["state"] == "kept"
