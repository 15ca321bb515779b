"""A run in which time-outs run out late repeats: nothing is to be chosen where nothing was."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable

import pytest

from semafuzz import TaskProgram
from semafuzz.harness.kernel.sites import SITES
from semafuzz.harness.runs.execution_config import ExecutionConfig
from semafuzz.harness.runs.program import execute
from semafuzz.harness.runs.replay_run import recheck
from semafuzz.harness.runs.session import controlled_session
from semafuzz.harness.schedulers.random_walk import RandomWalk

THIS = sys.modules[__name__]


class Shared:
    """Two events, a lock and a condition."""

    def __init__(self) -> None:
        self.events = [threading.Event(), threading.Event()]
        self.lock = threading.Lock()
        self.condition = threading.Condition()
        self.count = 0

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait(self, seconds: float) -> None:
        self.events[int(seconds) % 2].wait(seconds)

    def set(self, seconds: float) -> None:
        self.events[int(seconds) % 2].set()

    def hold(self, seconds: float) -> None:
        if self.lock.acquire(timeout=seconds):
            self.count += 1
            time.sleep(seconds)
            self.lock.release()

    def wait_for(self, seconds: float) -> None:
        with self.condition:
            self.condition.wait(seconds)

    def tell(self, seconds: float) -> None:
        with self.condition:
            self.condition.notify_all()

    def join_others(self, seconds: float) -> None:
        thread = threading.Thread(target=self.sleep, args=(seconds,), daemon=True)
        thread.start()
        thread.join(seconds / 2)


ACTS = ("sleep", "wait", "set", "hold", "wait_for", "tell", "join_others")


def drawn(draw: random.Random) -> list[Callable[[Shared], None]]:
    def task(acts: list[tuple[str, float]]) -> Callable[[Shared], None]:
        def run(shared: Shared) -> None:
            for name, seconds in acts:
                getattr(shared, name)(seconds)

        return run

    lengths = [draw.randint(1, 3) for _ in range(draw.randint(2, 3))]
    return [task([(draw.choice(ACTS), draw.choice((1.0, 2.0, 30.0, 60.0))) for _ in range(most)]) for most in lengths]


@pytest.mark.parametrize("early", [False, True])
def test_random_programs_with_sleeps_and_time_outs_repeat(early: bool) -> None:
    with controlled_session([THIS], thorough=True) as laboratory:
        for seed in range(150):
            program = TaskProgram(Shared, drawn(random.Random(seed)), None, under_test=[THIS])
            hot = bytearray([seed % 2]) * max(1 << 16, 2 * len(SITES))
            setting = ExecutionConfig(hot, thorough=True)
            setting.early_timeouts = early
            scheduler = RandomWalk(seed)
            scheduler.begin(0)
            outcome = execute(program, scheduler, setting)
            laboratory.control.between_executions()
            recheck(program, outcome, setting)
            laboratory.control.between_executions()
