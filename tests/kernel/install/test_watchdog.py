"""Runs that do not come back by themselves do not hold the search."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from semafuzz import explore
from semafuzz.harness.runs.program import FunctionProgram
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk
from semafuzz.harness.search.exploration import Exploration


def computes() -> None:
    sum(number for number in iter(int, 1))


def test_a_computation_without_end_is_named() -> None:
    with controlled_session((), stall=0.6) as laboratory:
        result = Exploration(FunctionProgram(computes, "p"), RandomWalk(0), laboratory, schedules=2).run()
    assert result.verdict == "uncontrolled"
    assert "no scheduling point" in result.notes[0]
    assert "test_watchdog" in result.notes[0]


OFF_MAIN = """
import threading
import pytest

from semafuzz import explore
from semafuzz.harness.search.exploration import Exploration
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.runs.program import FunctionProgram
from semafuzz.harness.schedulers.random_walk import RandomWalk
inner = {"lock": threading.Lock()}

def blocks():
    take = inner["lock"].acquire
    list(map(lambda _: take(), range(2)))

def search():
    assert explore(lambda: None, schedules=2).verdict == "complete"
    with controlled_session((), stall=0.5) as laboratory:
        Exploration(FunctionProgram(blocks, "p"), RandomWalk(0), laboratory, schedules=1).run()

worker = threading.Thread(target=search)
worker.start()
worker.join()
"""


def test_off_the_main_thread_a_stuck_run_ends_the_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(OFF_MAIN)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 125
    assert "uncontrolled: the run is blocked at" in done.stderr


def test_a_task_that_swallows_its_end_does_not_hold_the_search() -> None:
    def program() -> None:
        def stubborn() -> None:
            while True:
                try:
                    threading.Event().wait()
                except BaseException:
                    continue

        threading.Thread(target=stubborn, daemon=True).start()

    assert explore(program, scheduler="random", schedules=3).failures == []


@pytest.mark.wide
def test_it_is_named_on_a_machine_that_does_other_things(tmp_path: Path) -> None:
    """One that computes gets little of a busy machine, and is not blocked for that."""
    burn = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(burn) for _ in range(6)]
    try:
        test_a_computation_without_end_is_named()
    finally:
        for other in others:
            other.kill()
            other.wait()
