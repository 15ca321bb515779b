"""Programs on trio for the tests of the trio target."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import trio


class Account:
    def __init__(self) -> None:
        self.balance = 0

    async def deposit(self) -> None:
        balance = self.balance
        await trio.lowlevel.checkpoint()
        self.balance = balance + 1


async def lost_update() -> None:
    account = Account()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(account.deposit)
        nursery.start_soon(account.deposit)
    assert account.balance == 2


async def locked_update() -> None:
    account = Account()
    lock = trio.Lock()

    async def deposit() -> None:
        async with lock:
            await account.deposit()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit)
        nursery.start_soon(deposit)
    assert account.balance == 2


async def between_checkpoints() -> None:
    """Nothing can switch between two checkpoints."""
    account = Account()

    async def deposit() -> None:
        await trio.lowlevel.checkpoint()
        balance = account.balance
        for _ in range(3):
            account.balance = balance + 1
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(deposit)
        nursery.start_soon(deposit)
    assert account.balance == 2


async def opposite_locks() -> None:
    first, second = trio.Lock(), trio.Lock()

    async def take(one: trio.Lock, other: trio.Lock) -> None:
        async with one, other:
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take, first, second)
        nursery.start_soon(take, second, first)


async def waits_for_nobody() -> None:
    await trio.Event().wait()


async def shielded_for_ever() -> None:
    async def wait() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep_forever()


async def will_not_end() -> None:
    event = trio.Event()

    async def wait() -> None:
        while True:
            try:
                await event.wait()
            except BaseException:
                continue

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(wait)


async def spins() -> None:
    while True:
        await trio.lowlevel.checkpoint()


async def polls_in_sleep() -> None:
    flags = [True, True]

    async def wait(other: int) -> None:
        while flags[other]:
            await trio.sleep(0.5)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, 0)
        nursery.start_soon(wait, 1)


async def long_loop() -> None:
    for _ in range(10_000):
        await trio.lowlevel.checkpoint()


async def polls_the_clock() -> None:
    end = trio.current_time() + 10
    while trio.current_time() < end:
        await trio.lowlevel.checkpoint()


async def polls_a_flag() -> None:
    flags: list[int] = []

    async def wait() -> None:
        while not flags:
            await trio.sleep(0)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(1)
        flags.append(1)


async def sleeps() -> None:
    before = trio.current_time(), time.monotonic()
    await trio.sleep(3600)
    time.sleep(3600)
    assert trio.current_time() - before[0] >= 7200
    assert time.monotonic() - before[1] >= 7200


async def sleeps_in_order() -> None:
    woken: list[float] = []

    async def sleep(seconds: float) -> None:
        await trio.sleep(seconds)
        woken.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for seconds in (3, 1, 2):
            nursery.start_soon(sleep, seconds)
    assert len(woken) == 3
    assert min(woken) >= 1


async def time_limit() -> None:
    """A limit that only a scheduler that lets time pass early exceeds."""
    with trio.fail_after(5):
        for _ in range(3):
            await trio.lowlevel.checkpoint()


async def two_errors() -> None:
    async def fail(error: Exception) -> None:
        await trio.lowlevel.checkpoint()
        raise error

    async def shielded() -> None:
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.lowlevel.checkpoint()
                raise KeyError("second")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail, ValueError("first"))
        nursery.start_soon(shielded)


async def nested_groups() -> None:
    async def fail() -> None:
        async with trio.open_nursery(), trio.open_nursery():
            raise ValueError("deep")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail)


async def handled_error() -> None:
    async def fail() -> None:
        raise ValueError

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail)
    except* ValueError:
        pass


async def misused_lock() -> None:
    trio.Lock().release()


async def system_task() -> None:
    account = Account()
    done = trio.Event()

    async def deposit() -> None:
        await account.deposit()
        done.set()

    trio.lowlevel.spawn_system_task(deposit)
    await account.deposit()
    await done.wait()
    assert account.balance == 2


async def abandoned_system_task() -> None:
    """It is cancelled when the main task has ended, in one place or another."""
    account = Account()

    async def deposit() -> None:
        for _ in range(3):
            await account.deposit()

    trio.lowlevel.spawn_system_task(deposit)
    await account.deposit()


async def failing_system_task() -> None:
    async def fail() -> None:
        raise KeyError("system")

    trio.lowlevel.spawn_system_task(fail)
    await trio.sleep(1)


async def started() -> None:
    async def serve(*, task_status: trio.TaskStatus[int]) -> None:
        await trio.lowlevel.checkpoint()
        task_status.started(7)
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        assert await nursery.start(serve) == 7


async def generator() -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(5):
                await trio.lowlevel.checkpoint()
                yield number
        finally:
            await trio.lowlevel.checkpoint()

    async def use() -> None:
        async for number in numbers():
            if number == 1:
                break

    async with trio.open_nursery() as nursery:
        nursery.start_soon(use)
        nursery.start_soon(use)


async def posts_to_itself() -> None:
    posted: list[int] = []
    token = trio.lowlevel.current_trio_token()

    async def post(number: int) -> None:
        token.run_sync_soon(posted.append, number)
        await trio.lowlevel.checkpoint()
        assert posted.count(number) == 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(post, 1)
        nursery.start_soon(post, 2)


async def posts_and_waits() -> None:
    posted: list[int] = []
    token = trio.lowlevel.current_trio_token()

    async def post(number: int) -> None:
        called = trio.Event()
        token.run_sync_soon(posted.append, number)
        token.run_sync_soon(called.set)
        await called.wait()
        assert posted.count(number) == 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(post, 1)
        nursery.start_soon(post, 2)


SETTING: trio.lowlevel.RunVar[int] = trio.lowlevel.RunVar("setting")


async def sets_a_run_variable() -> None:
    assert SETTING.get(0) == 0
    SETTING.set(1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 0)
        nursery.start_soon(trio.sleep, 0)


async def thread() -> None:
    await trio.to_thread.run_sync(int)


async def plain_thread() -> None:
    threading.Thread(target=int).start()
    await trio.sleep(1)


async def process() -> None:
    await trio.run_process(["true"])


async def connection() -> None:
    await trio.open_tcp_stream("127.0.0.1", 1)


async def pair_of_sockets() -> None:
    left, right = trio.socket.socketpair()
    with left, right:
        await left.recv(1)


async def loops_without_checkpoint() -> None:
    account = Account()
    while True:
        account.balance += 1


async def lock_of_threading() -> None:
    lock = threading.Lock()

    async def hold() -> None:
        with lock:
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold)
        nursery.start_soon(hold)


async def calls_asyncio() -> None:
    await asyncio.sleep(1)


async def yields_like_asyncio() -> None:
    await asyncio.sleep(0)


async def interrupts() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 1)
        raise KeyboardInterrupt


async def leaves() -> None:
    raise SystemExit(3)


class Hotel:
    """Rooms that are booked in two steps."""

    def __init__(self, *, careful: bool) -> None:
        self.careful = careful
        self.reserved = 0
        self.guests = 0

    async def book(self) -> None:
        await trio.lowlevel.checkpoint()
        self.reserved += 1
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled:
            if self.careful:
                self.reserved -= 1
            raise
        self.guests += 1


async def careless_bookings() -> Hotel:
    return await _book(Hotel(careful=False))


async def careful_bookings() -> Hotel:
    return await _book(Hotel(careful=True))


async def _book(hotel: Hotel) -> Hotel:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hotel.book)
        nursery.start_soon(hotel.book)
    return hotel


def fully_booked(hotel: Hotel) -> None:
    assert hotel.reserved == hotel.guests
