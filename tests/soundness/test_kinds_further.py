"""Further programs of the kinds of wrong answers: one for each that no other test holds by itself."""

from __future__ import annotations

import pytest

from tests.soundness.conftest import Check

BEGIN = """
import threading
class Box:
    n = 0
def twice(work):
    threads = [threading.Thread(target=work) for _ in range(2)]
    [one.start() for one in threads], [one.join() for one in threads]
"""

FOUND: dict[str, tuple[str, tuple[str, ...]]] = {
    "two sections, by the sweep": (
        """
def f():
    lock, box = threading.Lock(), Box()
    def work():
        with lock: seen = box.n
        with lock: box.n = seen + 1
    thread = threading.Thread(target=work)
    thread.start(); work(); thread.join()
    assert box.n == 2""",
        ("--scheduler", "sweep"),
    ),
    "what stands in a pipe": (
        """
import os
def f():
    end, begin = os.pipe()
    os.set_blocking(end, False)
    os.write(begin, b"0")
    twice(lambda: os.write(begin, b"%d" % (int(os.read(end, 1)) + 1)))""",
        ("--scheduler", "exhaustive"),
    ),
    "a memory map": (
        """
import mmap
def f():
    shared = mmap.mmap(-1, 1)
    def write(): shared[0] = 1
    thread = threading.Thread(target=write)
    thread.start()
    before, after = shared[0], shared[0]
    thread.join()
    assert before == after""",
        ("--scheduler", "exhaustive"),
    ),
    "text in memory": (
        """
import io
def f():
    text = io.StringIO()
    def write(): text.write("a")
    thread = threading.Thread(target=write)
    thread.start()
    before, after = text.getvalue(), text.getvalue()
    thread.join()
    assert before == after""",
        ("--scheduler", "exhaustive"),
    ),
    "the making of what a cache keeps": (
        """
import functools
class Made:
    def __init__(self): self.open = True
def f():
    make, got = functools.lru_cache(Made), []
    twice(lambda: got.append(make()))
    assert got[0] is got[1]""",
        ("--scheduler", "exhaustive"),
    ),
}


@pytest.mark.parametrize("kind", FOUND)
def test_a_defect_of_this_kind_is_found(check: Check, kind: str) -> None:
    source, options = FOUND[kind]
    assert check(BEGIN + source, *options)["verdict"] == "found"


SILENT: dict[str, tuple[str, str]] = {
    "a function that goes deep": (
        """
def down(number): return down(number - 1) + 1 if number else 0
def f(): down(980)""",
        "complete",
    ),
    "a schedule of the standard library": (
        """
import sched
def f():
    plan, done = sched.scheduler(), []
    plan.enter(20, 1, done.append, (1,))
    thread = threading.Thread(target=plan.run)
    thread.start(); thread.join()
    assert done == [1]""",
        "complete",
    ),
    "a proxy with a class of its own": (
        """
class Proxy:
    def __init__(self): self.__dict__["inner"] = {}
    @property
    def __class__(self): return type(self.__dict__["inner"])
    def __setitem__(self, key, value): self.inner[key] = value
def f():
    proxy = Proxy()
    def work(): proxy["a"] = 1
    twice(work)""",
        "",
    ),
    "a lock of several processes": (
        """
import multiprocessing
def f():
    lock, box = multiprocessing.RLock(), Box()
    def work():
        with lock: box.n = box.n + 1
    twice(work)
    assert box.n == 2""",
        "uncontrolled",
    ),
    "a pool of processes": (
        """
from concurrent.futures import ProcessPoolExecutor
def f():
    with ProcessPoolExecutor(1) as pool: pool.submit(abs, -1).result()""",
        "uncontrolled",
    ),
}


@pytest.mark.parametrize("kind", SILENT)
def test_what_is_right_is_not_accused(check: Check, kind: str) -> None:
    source, verdict = SILENT[kind]
    answer = check(BEGIN + source)
    assert answer["failures"] == []
    assert verdict in ("", answer["verdict"])


UNWATCHED = """
import mimetypes
mimetypes.init()
def f():
    place = [0]
    def count():
        for number in range(1, 6): place[0] = number
        mimetypes.guess_type("x.zzz")
    def look():
        if place[0] == {number}: mimetypes.guess_type("x.zzz")
    threads = [threading.Thread(target=one) for one in (count, look)]
    [one.start() for one in threads], [one.join() for one in threads]
"""


@pytest.mark.parametrize("number", [1, 4])
def test_code_that_few_executions_come_to_is_no_part_of_a_proof(check: Check, number: int) -> None:
    answer = check(BEGIN + UNWATCHED.format(number=number))
    assert (answer["verdict"], answer["not_watched"][:1]) == ("cut", ["mimetypes"])


STATES: dict[str, tuple[str, str]] = {
    "a number behind globals()": (
        """
COUNT = 0
def work(): globals()["COUNT"] = globals()["COUNT"] + 1
def f():
    thread = threading.Thread(target=work)
    thread.start(); thread.join()
    assert COUNT == 1""",
        "0 findings",
    ),
    "a number at a function": (
        """
def work(): work.calls += 1
work.calls = 0
def f():
    twice(work)
    assert work.calls == 2, work.calls""",
        "AssertionError: 1",
    ),
}


@pytest.mark.parametrize("kind", STATES)
def test_numbers_of_a_module_begin_anew_in_each_execution(check: Check, kind: str) -> None:
    source, told = STATES[kind]
    answer = check(BEGIN + source, "--schedules", "50")
    messages = [failure["message"] for failure in answer["failures"]]
    assert messages == ([] if told == "0 findings" else [told])


HELD = """
import threading, functools
def use(lock, call):
    with lock: call()
USE = functools.partial(use, threading.RLock())
"""


def test_a_lock_that_nothing_can_exchange_is_not_passed_over(
    check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.syspath_prepend(f"{tmp_path}/site-packages")
    source = """
import helper_held
def f():
    box = Box()
    def work(): box.n = box.n + 1
    twice(lambda: helper_held.USE(work))
    assert box.n == 2"""
    answer = check(BEGIN + source, beside={"site-packages/helper_held.py": HELD})
    assert answer["verdict"] == "uncontrolled"


LONG = """
def f():
    box = Box()
    def work():
        for _ in range(120):
            box.n += 1
    threads = [threading.Thread(target=work) for _ in range(4)]
    [one.start() for one in threads], [one.join() for one in threads]
    assert box.n == 480"""


def test_a_long_first_execution_in_lock_step_is_made_small(check: Check) -> None:
    """To leave out its hundreds of preemptions one by one would use the budget up."""
    (failure,) = check(BEGIN + LONG)["failures"]
    assert failure["preemptions"] == 1
