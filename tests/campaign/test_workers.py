"""Processes under supervision: what they may not do, and what is told of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import trio

from semafuzz.campaign.workers import FOLDER, PID, Exit, Limits, kill_left_over, run_process, supervise

SLEEP = "import time; time.sleep(600)"


def run(folder: Path, code: str, seconds: float = 60.0, memory: int = 0) -> Exit:
    return trio.run(run_process, [sys.executable, "-c", code], folder, Limits(seconds, memory))


def is_alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_process_says_is_kept(tmp_path: Path) -> None:
    ended = run(tmp_path, "import sys; print('out'); sys.stderr.write('x' * 9000 + 'why'); sys.exit(4)")
    assert (ended.code, ended.hung, ended.output, len(ended.said)) == (4, False, "out\n", 2000)
    assert ended.trouble().startswith("ended with exit code 4: xxx")
    assert ended.trouble().endswith("why")


def test_one_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    child = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).pid, flush=True)\n{SLEEP}"
    )
    ended = run(tmp_path, child, seconds=1.0)
    assert ended.hung
    assert "hung" in ended.trouble()
    deadline = time.monotonic() + 10
    while is_alive(int(ended.output)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(int(ended.output))


def test_one_that_is_killed_is_told(tmp_path: Path) -> None:
    ended = run(tmp_path, "import os; os.kill(os.getpid(), 11)")
    assert ended.code == -signal.SIGSEGV
    assert ended.trouble() == "was ended by SIGSEGV"


@pytest.mark.skipif(sys.platform != "linux", reason="limits for other processes are Linux's")
def test_one_that_takes_too_much_memory_ends(tmp_path: Path) -> None:
    greedy = "import mmap, time; time.sleep(0.5); mmap.mmap(-1, 1 << 31)"
    ended = run(tmp_path, greedy, memory=1 << 30)
    assert ended.code == 1
    assert "Cannot allocate memory" in ended.said
    assert run(tmp_path, greedy, memory=1 << 33).code == 0


def test_so_many_at_once_and_in_order() -> None:
    under_way: list[int] = []
    most = [0]
    begun = []

    async def work(number: int) -> None:
        begun.append(number)
        under_way.append(number)
        most[0] = max(most[0], len(under_way))
        await trio.sleep(0.01)
        under_way.remove(number)

    works: list[Callable[[], Awaitable[None]]] = [partial(work, number) for number in range(7)]
    trio.run(supervise, works, 3)
    assert most == [3]
    assert begun[0] == 0
    assert sorted(begun) == list(range(7))


def test_what_one_raises_ends_all(tmp_path: Path) -> None:
    async def fail() -> None:
        await trio.sleep(0.5)
        raise ValueError("mine")

    endless = partial(run_process, [sys.executable, "-c", SLEEP], tmp_path, Limits(600))

    async def run_endless() -> None:
        await endless()

    started = time.monotonic()
    with pytest.raises(ValueError, match="mine"):
        trio.run(supervise, [run_endless, fail], 2)
    assert time.monotonic() - started < 60
    assert not is_alive(int((tmp_path / PID).read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_what_a_killed_supervisor_left_is_ended_and_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "shard-000-0"
    folder.mkdir()
    mine = subprocess.Popen(
        [sys.executable, "-c", SLEEP], start_new_session=True, env={**os.environ, FOLDER: str(folder)}
    )
    other = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    try:
        (folder / PID).write_text(str(other.pid))
        kill_left_over(tmp_path)
        assert other.poll() is None, "another process has got the number since"
        (folder / PID).write_text("no number")
        kill_left_over(tmp_path)
        (folder / PID).write_text(str(mine.pid))
        kill_left_over(tmp_path)
        assert mine.wait(10) == -signal.SIGKILL
    finally:
        for process in (mine, other):
            process.kill()
            process.wait()
    assert os.path.exists(folder)
