"""``trio.testing.wait_all_tasks_blocked``: goes on when all others are blocked, and only then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from semafuzz import explore_async

Program = Callable[[], Awaitable[None]]


async def a_lock_is_fair() -> None:
    lock, order = trio.Lock(), []
    await lock.acquire()

    async def taker() -> None:
        async with lock:
            order.append("taker")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(taker)
        await trio.testing.wait_all_tasks_blocked()
        lock.release()
        with pytest.raises(trio.WouldBlock):
            lock.acquire_nowait()
        order.append("main")
    assert order == ["main", "taker"]


async def a_short_cushion_ends_first() -> None:
    order = []

    async def wait(name: str, cushion: float) -> None:
        await trio.testing.wait_all_tasks_blocked(cushion)
        order.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "long", 0.02)
        nursery.start_soon(wait, "short", 0.01)
    assert order == ["short", "long"]


async def a_deadline_within_the_cushion_comes_first() -> None:
    order = []

    async def wait() -> None:
        await trio.testing.wait_all_tasks_blocked(0.2)
        order.append("idle")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(0.01)
        order.append("deadline")
    assert order == ["deadline", "idle"]


async def no_time_passes_before_it_goes_on() -> None:
    seen = []

    async def worker() -> None:
        await trio.lowlevel.checkpoint()
        seen.append(1)
        await trio.sleep(0.05)
        seen.append(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker)
        await trio.testing.wait_all_tasks_blocked()
        assert seen == [1]


async def it_can_be_cancelled() -> None:
    with trio.move_on_after(0.01) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.testing.wait_all_tasks_blocked, 5)
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def several_go_on_at_once() -> None:
    seen, event = [], trio.Event()

    async def wait(name: str) -> None:
        await trio.testing.wait_all_tasks_blocked()
        seen.append(name)
        event.set()

    async def third() -> None:
        await event.wait()
        assert len(seen) == 2

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "one")
        nursery.start_soon(wait, "two")
        nursery.start_soon(third)


CORRECT = [
    a_lock_is_fair, a_short_cushion_ends_first, a_deadline_within_the_cushion_comes_first,
    no_time_passes_before_it_goes_on, it_can_be_cancelled, several_go_on_at_once,
]  # fmt: skip


async def waits_for_ever_afterwards() -> None:
    await trio.testing.wait_all_tasks_blocked()
    await trio.Event().wait()


async def takes_the_first_for_the_only_one() -> None:
    """Which of two tasks comes first is open, also where both are blocked in the end."""
    order: list[str] = []

    async def worker(name: str) -> None:
        await trio.lowlevel.checkpoint()
        order.append(name)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker, "one")
        nursery.start_soon(worker, "two")
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        assert order == ["one", "two"]


@pytest.mark.parametrize("program", CORRECT)
def test_what_is_right_is_silent(program: Program) -> None:
    trio.run(program)
    assert explore_async(program, scheduler="exhaustive", schedules=5000).verdict == "complete"
    assert explore_async(program, schedules=50).failures == []


@pytest.mark.parametrize(
    ("program", "kind"), [(waits_for_ever_afterwards, "deadlock"), (takes_the_first_for_the_only_one, "assertion")]
)
def test_what_is_wrong_is_found(program: Program, kind: str) -> None:
    result = explore_async(program, schedules=200)
    assert [one.kind for one in result.failures] == [kind]
