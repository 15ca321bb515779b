"""Pools of threads leave nothing behind in the library's own registers."""

from __future__ import annotations

import concurrent.futures.thread as pools

from semafuzz import explore


def test_the_threads_of_a_pool_are_forgotten_with_their_execution() -> None:
    before = len(vars(pools)["_threads_queues"])

    def program() -> None:
        with pools.ThreadPoolExecutor(2) as pool:
            assert sum(pool.map(len, ["a", "bb"])) == 3

    assert explore(program, schedules=20).failures == []
    assert len(vars(pools)["_threads_queues"]) == before
