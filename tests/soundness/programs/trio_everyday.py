"""The defects that code with trio has most often, each with its repair."""

import trio


class Stock:
    def __init__(self) -> None:
        self.left = 1
        self.lock = trio.Lock()

    async def sell(self) -> None:
        if self.left > 0:
            await trio.sleep(0)
            self.left -= 1

    async def sell_locked(self) -> None:
        async with self.lock:
            await self.sell()


async def both(one, other) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one)
        nursery.start_soon(other)


async def stock_broken() -> None:
    stock = Stock()
    await both(stock.sell, stock.sell)
    assert stock.left == 0


async def stock_repaired() -> None:
    stock = Stock()
    await both(stock.sell_locked, stock.sell_locked)
    assert stock.left == 0


class Accounts:
    def __init__(self) -> None:
        self.locks = [trio.Lock(), trio.Lock()]

    async def move(self, source: int, target: int) -> None:
        async with self.locks[source], self.locks[target]:
            await trio.sleep(0)

    async def move_in_order(self, source: int, target: int) -> None:
        first, second = sorted((source, target))
        await self.move(first, second)


async def deadlock_broken() -> None:
    accounts = Accounts()
    await both(lambda: accounts.move(0, 1), lambda: accounts.move(1, 0))


async def deadlock_repaired() -> None:
    accounts = Accounts()
    await both(lambda: accounts.move_in_order(0, 1), lambda: accounts.move_in_order(1, 0))


class Box:
    def __init__(self) -> None:
        self.condition = trio.Condition()
        self.letters: list[int] = []

    async def put(self) -> None:
        async with self.condition:
            self.letters.append(1)
            self.condition.notify()

    async def look_then_wait(self) -> None:
        if not self.letters:
            async with self.condition:
                await self.condition.wait()

    async def get(self) -> None:
        async with self.condition:
            while not self.letters:
                await self.condition.wait()


async def wakeup_broken() -> None:
    box = Box()
    await both(box.look_then_wait, box.put)


async def wakeup_repaired() -> None:
    box = Box()
    await both(box.get, box.put)


class Pool:
    """Connections that are lent out."""

    def __init__(self) -> None:
        self.free = 1

    async def use(self) -> None:
        self.free -= 1
        await trio.sleep(1)
        self.free += 1

    async def use_safely(self) -> None:
        self.free -= 1
        try:
            await trio.sleep(1)
        finally:
            self.free += 1


async def _with_time_out(use, pool: Pool) -> None:
    async def limited() -> None:
        with trio.move_on_after(2):
            await use()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(limited)
        nursery.start_soon(trio.sleep, 2)
    assert pool.free == 1


async def timeout_broken() -> None:
    """The time-out strikes where the wake-up is late."""
    pool = Pool()

    async def use() -> None:
        pool.free -= 1
        for _ in range(2):
            await trio.sleep(1)
        pool.free += 1

    await _with_time_out(use, pool)


async def timeout_repaired() -> None:
    pool = Pool()
    await _with_time_out(pool.use_safely, pool)


async def channel_broken() -> None:
    """One of two consumers closes what the other still reads."""
    send, receive = trio.open_memory_channel[int](0)
    got: list[int] = []

    async def produce() -> None:
        async with send:
            for number in range(2):
                await send.send(number)

    async def consume() -> None:
        async with receive:
            async for number in receive:
                got.append(number)
                if len(got) == 1:
                    break

    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce)
        nursery.start_soon(consume)
        nursery.start_soon(consume)


async def channel_repaired() -> None:
    send, receive = trio.open_memory_channel[int](0)
    got: list[int] = []

    async def produce() -> None:
        async with send:
            for number in range(2):
                await send.send(number)

    async def consume(own) -> None:
        async with own:
            async for number in own:
                got.append(number)

    async with trio.open_nursery() as nursery, receive:
        nursery.start_soon(produce)
        nursery.start_soon(consume, receive.clone())
        nursery.start_soon(consume, receive.clone())
    assert sorted(got) == [0, 1]
