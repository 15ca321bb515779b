"""Tries, time-outs and releases of locks race too, also where nobody waits."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from semafuzz import explore


def twice(function: Callable[[], object]) -> None:
    threads = [threading.Thread(target=function) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def a_try_that_can_fail() -> None:
    lock = threading.Lock()
    skipped: list[int] = []

    def attempt() -> None:
        if lock.acquire(blocking=False):
            lock.release()
        else:
            skipped.append(1)

    twice(attempt)
    assert not skipped


def two_releases_of_one_acquire() -> None:
    lock = threading.Lock()
    lock.acquire()

    def give_up() -> None:
        if lock.locked():
            lock.release()

    twice(give_up)


def a_worker_that_has_begun() -> None:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(int)
        assert not future.running()


@pytest.mark.parametrize("program", [a_try_that_can_fail, two_releases_of_one_acquire, a_worker_that_has_begun])
def test_what_needs_a_switch_beside_a_lock_is_found(program: Callable[[], object]) -> None:
    assert explore(program, schedules=2000).verdict == "found"


def a_try_alone() -> None:
    lock = threading.Lock()
    assert lock.acquire(blocking=False)
    lock.release()
    assert lock.acquire(timeout=1)
    lock.release()


def test_a_try_without_a_rival_succeeds() -> None:
    assert explore(a_try_alone, schedules=50).failures == []


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("error", [ValueError("\udc80"), Unprintable()])
def test_any_exception_can_be_reported(error: Exception) -> None:
    def program() -> None:
        raise error

    found = explore(program, schedules=2).failures[0]
    found.message.encode()
    assert found.kind == "exception"


def test_an_interrupt_in_a_thread_is_no_finding() -> None:
    def interrupted() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    def program() -> None:
        twice(interrupted)

    with pytest.raises(KeyboardInterrupt):
        explore(program, schedules=5)


def a_pool_that_is_kept() -> None:
    pool = ThreadPoolExecutor(2)
    kept = {"pool": pool}
    kept["self"] = kept  # type: ignore[assignment]
    assert pool.submit(int).result() == 0


def a_pool_whose_work_never_ends() -> None:
    pool = ThreadPoolExecutor(1)
    kept = {"pool": pool}
    kept["self"] = kept  # type: ignore[assignment]
    pool.submit(threading.Event().wait)


def test_a_pool_that_nobody_shuts_down_ends_with_the_program() -> None:
    assert explore(a_pool_that_is_kept, schedules=50).failures == []
    found = explore(a_pool_whose_work_never_ends, schedules=5).failures
    assert [one.kind for one in found] == ["deadlock"]
