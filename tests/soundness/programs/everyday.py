"""The defects that code with ``threading`` has most often, each with its repair."""

import threading


def run(*bodies) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Accounts:
    def __init__(self) -> None:
        self.locks = [threading.Lock(), threading.Lock()]
        self.money = [10, 10]

    def move(self, source: int, target: int) -> None:
        with self.locks[source], self.locks[target]:
            self.money[source] -= 1
            self.money[target] += 1

    def move_in_order(self, source: int, target: int) -> None:
        first, second = sorted((source, target))
        with self.locks[first], self.locks[second]:
            self.money[source] -= 1
            self.money[target] += 1


def deadlock_broken() -> None:
    accounts = Accounts()
    run(lambda: accounts.move(0, 1), lambda: accounts.move(1, 0))
    assert accounts.money == [10, 10]


def deadlock_repaired() -> None:
    accounts = Accounts()
    run(lambda: accounts.move_in_order(0, 1), lambda: accounts.move_in_order(1, 0))
    assert accounts.money == [10, 10]


class Mailbox:
    """``get`` tests with ``if`` what may have changed when it wakes up."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.letters: list[int] = []

    def put(self) -> None:
        with self.condition:
            self.letters.append(1)
            self.condition.notify()

    def get_with_if(self) -> None:
        with self.condition:
            if not self.letters:
                self.condition.wait()
            self.letters.pop()

    def get(self) -> None:
        with self.condition:
            while not self.letters:
                self.condition.wait()
            self.letters.pop()

    def look_then_wait(self) -> None:
        if not self.letters:
            with self.condition:
                self.condition.wait()

    def peek(self) -> None:
        with self.condition:
            while not self.letters:
                self.condition.wait()


def wakeup_broken() -> None:
    box = Mailbox()
    run(box.look_then_wait, box.put)


def wakeup_repaired() -> None:
    box = Mailbox()
    run(box.peek, box.put)


def stolen_broken() -> None:
    box = Mailbox()

    def put_twice() -> None:
        box.put()
        box.put()

    run(box.get_with_if, box.get_with_if, put_twice)


def stolen_repaired() -> None:
    box = Mailbox()

    def put_twice() -> None:
        box.put()
        box.put()

    run(box.get, box.get, put_twice)


class Service:
    def __init__(self) -> None:
        self.address = ""

    def configure(self) -> None:
        self.address = "here"


class Registry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.service: Service | None = None

    def get_early(self) -> Service:
        """Publishes the service before it is ready."""
        if self.service is None:
            with self.lock:
                if self.service is None:
                    self.service = Service()
                    self.service.configure()
        return self.service

    def get(self) -> Service:
        if self.service is None:
            with self.lock:
                if self.service is None:
                    made = Service()
                    made.configure()
                    self.service = made
        return self.service


def _used(get) -> None:
    assert get().address == "here"


def initialisation_broken() -> None:
    registry = Registry()
    run(lambda: _used(registry.get_early), lambda: _used(registry.get_early))


def initialisation_repaired() -> None:
    registry = Registry()
    run(lambda: _used(registry.get), lambda: _used(registry.get))


class Stock:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.left = {"apple": 1}

    def sell(self) -> None:
        if self.left.get("apple", 0) > 0:
            self.left["apple"] -= 1

    def sell_locked(self) -> None:
        with self.lock:
            self.sell()


def stock_broken() -> None:
    stock = Stock()
    run(stock.sell, stock.sell)
    assert stock.left["apple"] == 0


def stock_repaired() -> None:
    stock = Stock()
    run(stock.sell_locked, stock.sell_locked)
    assert stock.left["apple"] == 0


class Total:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sum = 0

    def add(self) -> None:
        self.sum = self.sum + 1

    def add_locked(self) -> None:
        with self.lock:
            self.sum = self.sum + 1


def update_broken() -> None:
    total = Total()
    run(total.add, total.add)
    assert total.sum == 2


def update_repaired() -> None:
    total = Total()
    run(total.add_locked, total.add_locked)
    assert total.sum == 2
