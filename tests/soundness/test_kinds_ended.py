"""Kinds of programs that do something to the process in which they are searched, and findings that have to replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.soundness.conftest import Check

Run = Callable[..., "CompletedProcess[str]"]

ENDINGS: dict[str, tuple[str, int, str]] = {
    "os._exit": ("import os; os._exit(0)", 125, "ended with exit code 0 before there was a verdict"),
    "a signal": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 125, "SIGKILL"),
    "a crash": ("import ctypes; ctypes.string_at(0)", 125, "SIGSEGV"),
    "exec": ("import os; os.execv('/bin/true', ['true'])", 125, "was to be replaced"),
    "fork": ("import os; os.fork()", 125, "was forked"),
    "multiprocessing": (
        "import multiprocessing as m; p = m.get_context('spawn').Process(target=print); p.start(); p.join()",
        125,
        "a process was started",
    ),
    "asyncio": ("import asyncio; asyncio.run(asyncio.sleep(0))", 125, "asyncio"),
    "a builtin that the search needs": ("import builtins; builtins.len = None", 125, "builtins.len"),
    "a builtin that tells": ("import builtins; builtins.sorted = None", 125, "builtins.sorted"),
    "a raw stream": ("import os, sys; sys.stdout.close(); os.close(1)", 0, ""),
}


@pytest.mark.parametrize("kind", ENDINGS)
def test_the_parent_says_what_became_of_it(semafuzz: Run, tmp_path: Path, kind: str) -> None:
    body, code, words = ENDINGS[kind]
    (tmp_path / "ending.py").write_text(f"import threading\ndef f():\n    {body}\n")
    done = semafuzz("check", "ending.py:f", "--schedules", "20")
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_call_that_never_returns_is_ended(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text("import signal\ndef f():\n    signal.sigwait({signal.SIGUSR1})\n")
    done = semafuzz("check", "stuck.py:f")
    assert done.returncode == 125
    assert "uncontrolled: the run is blocked at signal:" in done.stderr
    assert "(sigwait)" in done.stderr


@pytest.mark.slow
def test_a_call_that_keeps_the_interpreter_is_ended(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text("import itertools\ndef f():\n    sum(itertools.repeat(0))\n")
    done = semafuzz("check", "stuck.py:f")
    assert done.returncode == 125
    assert "in a call that does not return" in done.stderr


def test_the_time_is_kept(semafuzz: Run, tmp_path: Path) -> None:
    source = "import time\ndef f():\n    end = time.process_time\n    while True: pass\n"
    (tmp_path / "endless.py").write_text(source)
    done = semafuzz("check", "endless.py:f", "--seconds", "1")
    assert done.returncode in (1, 125)


def test_processes_that_are_left_are_ended(semafuzz: Run, tmp_path: Path) -> None:
    source = """
import os
if not os.path.exists("pid"):
    import subprocess
    open("pid", "w").write(str(subprocess.Popen(["sleep", "60"]).pid))
def f(): pass
"""
    (tmp_path / "leaves.py").write_text(source)
    done = semafuzz("check", "leaves.py:f")
    assert done.returncode == 0
    assert "1 process that the program under test had left" in done.stderr
    assert (
        not Path(f"/proc/{(tmp_path / 'pid').read_text()}/cmdline").exists()
        or not Path(f"/proc/{(tmp_path / 'pid').read_text()}/cmdline").read_bytes()
    )


NOISY = """
import threading, sys
def f():
    xs = []
    def work():
        print("seen", len(xs)); print("to the other", file=sys.stderr)
        xs.append(len(xs))
    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert xs == [0, 1]
"""


def test_what_the_program_prints_is_shown_for_the_failing_run_only(semafuzz: Run, tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISY)
    shown = semafuzz("check", "noisy.py:f")
    assert shown.returncode == 1
    assert shown.stdout.count("| seen") == shown.stdout.count("| to the other") == 2
    assert "seen" not in shown.stderr
    told = semafuzz("check", "noisy.py:f", "--json")
    (line,) = told.stdout.splitlines()
    assert json.loads(line)["failures"][0]["output"].count("seen") == 2


REPLAYS: dict[str, str] = {
    "addresses as keys": """
class Pool:
    def __init__(self): self.used, self.n = {}, 0
    def take(self):
        thing = object(); self.used[id(thing)] = thing; self.n = self.n + 1
POOL = Pool()
def f():
    threads = [threading.Thread(target=POOL.take) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert POOL.n == 2""",
    "a first use": """
import decimal, tempfile
def f():
    seen = []
    def work():
        tempfile.gettempdir(); seen.append(len(seen))
    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert seen == [0, 1]""",
    "an import in a task": """
import importlib
def f():
    seen = []
    def work():
        importlib.import_module("colorsys"); seen.append(len(seen))
    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert seen == [0, 1]""",
    "values of its own in each thread": """
class Own(threading.local):
    def __init__(self): self.closed = False
class Box:
    n = 0
def f():
    own, box = Own(), Box()
    def work():
        own.closed = True
        box.n = box.n + 1
    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert box.n == 2""",
    "another directory": """
import os, tempfile
def f():
    os.chdir(tempfile.mkdtemp())
    assert False""",
    "identifiers drawn at import": """
import uuid
KEY = str(uuid.uuid4())
def f():
    table = {KEY: 0}
    def work(): table[KEY] = table[KEY] + 1
    threads = [threading.Thread(target=work) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert table[KEY] == 2""",
}


ORDERED: dict[str, str] = {
    "a set of objects": """
class Job:
    def __init__(self): self.n = 0
def f():
    box, jobs = Box(), {Job() for _ in range(3)}
    def work():
        for number, job in enumerate(jobs):
            job.n = job.n + number
            box.n = box.n + 1
    twice(work)
    assert box.n == 6""",
    "a set of locks and events": """
def f():
    box, things = Box(), {threading.Lock(), threading.RLock(), threading.Lock(), threading.Event()}
    def work():
        for thing in things:
            thing.set() if isinstance(thing, threading.Event) else thing.acquire() and thing.release()
            box.n = box.n + 1
    twice(work)
    assert box.n == 8""",
    "futures as they are completed": """
import concurrent.futures
def f():
    box = Box()
    def work(): box.n = box.n + 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for one in concurrent.futures.as_completed([pool.submit(work) for _ in range(2)]): one.result()
    assert box.n == 2""",
    "futures that are waited for": """
import concurrent.futures
def f():
    box = Box()
    def work(): box.n = box.n + 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done, _ = concurrent.futures.wait([pool.submit(work) for _ in range(3)])
    assert box.n == len(done)""",
}
BOX = """
import os, threading
class Box:
    n = 0
OTHER_ADDRESSES = [made() for _ in range(int(os.environ.get("HEAP", "0"))) for made in (object, Box)]
def twice(work):
    threads = [threading.Thread(target=work) for _ in range(2)]
    [one.start() for one in threads], [one.join() for one in threads]
"""


@pytest.mark.parametrize("kind", ORDERED)
def test_sets_have_the_same_order_wherever_their_objects_lie(semafuzz: Run, tmp_path: Path, kind: str) -> None:
    (tmp_path / "again.py").write_text(f"{BOX}{ORDERED[kind]}\n")
    found = json.loads(semafuzz("check", "again.py:f", "--json").stdout)
    (failure,) = found["failures"]
    for heap in ("1", "2", "5"):
        done = semafuzz("replay", failure["trace"], "--program", "again.py:f", HEAP=heap)
        assert done.returncode == 1, done.stderr
        assert "the recorded one" in done.stdout


@pytest.mark.parametrize("kind", REPLAYS)
def test_a_finding_replays_in_every_process(semafuzz: Run, tmp_path: Path, kind: str) -> None:
    (tmp_path / "again.py").write_text(f"import threading{REPLAYS[kind]}\n")
    found = json.loads(semafuzz("check", "again.py:f", "--json").stdout)
    (failure,) = found["failures"]
    assert failure["confirmed"]
    for seed in ("1", "77"):
        done = semafuzz("replay", failure["trace"], "--program", "again.py:f", PYTHONHASHSEED=seed)
        assert done.returncode == 1, done.stderr
        assert "the recorded one" in done.stdout


def test_what_one_program_stores_under_is_nothing_to_the_next_in_the_process(check: Check) -> None:
    """Its finding would not replay in a fresh process."""
    check("""
import threading
def f():
    global SIZE
    SIZE = 2
""")
    answer = check("""
import threading
SIZE = 1
class Box:
    n = 0
    def add(self):
        self.n = self.n + SIZE
def f():
    box = Box()
    threads = [threading.Thread(target=box.add) for _ in range(2)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert box.n == 2
""")
    assert answer["verdict"] == "found", answer
