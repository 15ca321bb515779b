"""Programs that do not keep to what the reduction needs are enumerated, and nothing is called complete by mistake."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from semafuzz import explore
from semafuzz.harness.schedulers.dpor.scheduler import DPOR
from semafuzz.harness.search.exploration import as_program


def asks_whether_a_thread_has_ended() -> None:
    seen: list[bool] = []
    thread = threading.Thread(target=seen.append, args=(True,))
    thread.start()
    thread.join(0)
    thread.join()


def sleeps_beside_a_time_out() -> None:
    event = threading.Event()
    threads = [threading.Thread(target=event.wait, args=(30,)), threading.Thread(target=time.sleep, args=(60,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def loops_until_it_gives_way() -> None:
    flags = {"done": False}

    def spin() -> None:
        while not flags["done"]:
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    flags["done"] = True
    thread.join()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (asks_whether_a_thread_has_ended, "has ended"),
        (sleeps_beside_a_time_out, "sleeps beside time-outs"),
        (loops_until_it_gives_way, "made to give way"),
    ],
)
def test_all_schedules_are_made_instead(program: Callable[[], None], reason: str) -> None:
    reduction = DPOR()
    result = explore(program, scheduler=reduction, schedules=40)
    assert reason in reduction.irregular
    assert result.failures == []


def test_a_program_that_keeps_to_it_is_not() -> None:
    def run() -> None:
        made: list[int] = []
        threads = [threading.Thread(target=made.append, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    reduction = DPOR()
    assert explore(run, scheduler=reduction).verdict == "complete"
    assert (reduction.irregular, reduction.blocked) == ("", 0)


def test_a_time_out_that_runs_out_early_is_among_the_traces() -> None:
    """Without time-outs there are two orders; with them the second thread may find the lock taken."""
    seen: set[bool] = set()

    def run() -> None:
        lock = threading.Lock()

        def hold() -> None:
            with lock:
                pass

        def hurry() -> None:
            taken = lock.acquire(timeout=1)
            seen.add(taken)
            if taken:
                lock.release()

        threads = [threading.Thread(target=hold), threading.Thread(target=hurry)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert explore(run, scheduler="dpor", timeouts="any").verdict == "complete"
    assert seen == {True, False}
    seen.clear()
    assert explore(run, scheduler="dpor", timeouts="idle").verdict == "cut"
    assert seen == {True}


def test_objects_with_finalisers_are_not_kept_alive() -> None:
    ended: list[int] = []
    seen: set[int] = set()

    class Guarded:
        def __init__(self) -> None:
            self.value = 0

        def __del__(self) -> None:
            ended.append(1)

    def run() -> None:
        ended.clear()
        box = {"it": Guarded()}

        def drop() -> None:
            del box["it"]

        threads = [threading.Thread(target=body) for body in (drop, lambda: None)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen.add(len(ended))

    program = as_program(run)
    program.finalisers = ["Guarded"]
    assert explore(program, scheduler="dpor", schedules=20).verdict == "cut"
    assert seen == {1}


def test_what_takes_too_much_work_is_given_up() -> None:
    def run() -> None:
        made: list[int] = []
        threads = [threading.Thread(target=made.extend, args=([number],)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    limited, free = DPOR(most_work=10), DPOR(most_work=10_000)
    explore(run, scheduler=limited, schedules=5)
    assert "long" in limited.irregular
    assert explore(run, scheduler=free, schedules=50).verdict == "complete"
