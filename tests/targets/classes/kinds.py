"""Classes of kinds that were once judged wrongly: right ones that were accused, broken ones that were missed."""

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor


class Part:
    def __init__(self) -> None:
        self.count = 0


class RightHandsOutWhatChanges:
    """What it returns is changed by later calls."""

    def __init__(self) -> None:
        self._part = Part()
        self._lock = threading.Lock()

    def part(self) -> Part:
        return self._part

    def bump(self) -> None:
        with self._lock:
            self._part.count += 1


class RightThreadLocal:
    """Each thread has a stack of its own."""

    def __init__(self) -> None:
        self._local = threading.local()

    def push(self, item: int) -> None:
        self._local.stack = [*getattr(self._local, "stack", []), item]

    def pop(self) -> int | None:
        stack = getattr(self._local, "stack", [])
        self._local.stack = stack[:-1]
        return stack[-1] if stack else None


class RightOwner:
    """A lock that its owner may take again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def enter(self) -> bool:
        return self._lock.acquire()

    def leave_it(self) -> None:
        self._lock.release()


class RightBarrier:
    """Nobody goes on before all have come."""

    def __init__(self, parties: int) -> None:
        self._parties = parties
        self._changed = threading.Condition()
        self._count = self._round = 0

    def wait(self) -> int:
        with self._changed:
            mine, self._count = self._round, self._count + 1
            if self._count == self._parties:
                self._count, self._round = 0, self._round + 1
                self._changed.notify_all()
            while mine == self._round:
                self._changed.wait()
            return self._round


class RightGate:
    """Somebody is inside between entering and leaving."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    @contextlib.contextmanager
    def visit(self) -> Iterator[None]:
        with self._lock:
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1

    def inside(self) -> int:
        with self._lock:
            return self._inside


class RightBusyPool:
    """It keeps its objects in a set."""

    def __init__(self, size: int) -> None:
        self._lock = threading.Lock()
        self._idle = [Part() for _ in range(size)]
        for number, part in enumerate(self._idle):
            part.count = number
        self._busy: set[Part] = set()

    def acquire(self) -> Part | None:
        with self._lock:
            if not self._idle:
                return None
            part = self._idle.pop()
            self._busy.add(part)
            return part

    def busy(self) -> frozenset[Part]:
        with self._lock:
            return frozenset(self._busy)


class RightStopwatch:
    """It says how long a call took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls = 0

    def work(self, seconds: int) -> float:
        start = time.monotonic()
        time.sleep(seconds)
        with self._lock:
            self._calls += 1
        return time.monotonic() - start

    def uptime(self) -> float:
        return time.monotonic()


class RightLottery:
    """It draws."""

    def __init__(self) -> None:
        self._items: list[int] = []
        self._lock = threading.Lock()

    def add(self, item: int) -> None:
        with self._lock:
            self._items.append(item)

    def pick(self) -> int | None:
        with self._lock:
            return random.choice(self._items) if self._items else None


class RightWorkers:
    """It has threads of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2)
        self._lock = threading.Lock()
        self._total = 0

    def _add(self, amount: int) -> int:
        with self._lock:
            self._total += amount
            return self._total

    def submit(self, amount: int) -> int:
        return self._pool.submit(self._add, amount).result()


class RightPool:
    """It has a thread of its own as soon as it is made, which goes on with what calls leave for it."""

    def __init__(self) -> None:
        self._tasks: queue.Queue[int] = queue.Queue()
        self._done = 0
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self._done += self._tasks.get()

    def put(self, amount: int) -> None:
        self._tasks.put(amount)

    def done(self) -> int:
        return self._done


class RightMarker:
    """It leaves a mark on what it is given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.last = 0

    def mark(self, handler: Callable[[], object]) -> int:
        with self._lock:
            handler.uses = getattr(handler, "uses", 0) + 1
            self.last = handler.uses
            return self.last


class BrokenWarm:
    """Its threads have ended when it is there."""

    def __init__(self) -> None:
        self.total = 0
        threads = [threading.Thread(target=int) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def add(self) -> int:
        before = self.total
        self.total = before + 1
        return self.total


class BrokenOrder:
    """Two locks in both orders, beside a thread that waits for work."""

    def __init__(self) -> None:
        self._one, self._other = threading.Lock(), threading.Lock()
        self._tasks: queue.Queue[int] = queue.Queue()
        threading.Thread(target=self._tasks.get, daemon=True).start()

    def there(self) -> None:
        with self._one, self._other:
            pass

    def back(self) -> None:
        with self._other, self._one:
            pass


class BrokenPool:
    """What is lost shows only in what is taken the third time; many methods that only look do not hide it."""

    def __init__(self) -> None:
        self._left = 6

    def take(self) -> bool:
        if self._left:
            self._left -= 1
            return True
        return False

    def lose(self) -> None:
        left = self._left
        self._left = max(0, left - 1)


for _number in range(20):
    setattr(BrokenPool, f"look_{_number}", lambda self, number=_number: number)


class RightLatch:
    """An event stands for the state."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 2
        self._open = threading.Event()

    def count_down(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                self._open.set()

    def is_open(self) -> bool:
        return self._open.is_set()


class BrokenLatch:
    def __init__(self) -> None:
        self._left = 2
        self._open = threading.Event()

    def count_down(self) -> None:
        left = self._left - 1
        self._left = left
        if left == 0:
            self._open.set()

    def is_open(self) -> bool:
        return self._open.is_set()


class BrokenBus:
    """The callback is given to both methods."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], object]] = []

    def subscribe(self, callback: Callable[[], object]) -> None:
        self._listeners.append(callback)

    def unsubscribe(self, callback: Callable[[], object]) -> None:
        if callback in self._listeners:
            self._listeners.remove(callback)


class BrokenBreaker:
    """Only many calls reach its default."""

    def __init__(self, threshold: int = 10) -> None:
        self.threshold = threshold
        self._failures = 0

    def record(self) -> None:
        self._failures += 1

    @property
    def is_open(self) -> bool:
        return self._failures >= self.threshold


class BrokenSetter:
    """A property that counts its changes."""

    def __init__(self) -> None:
        self._value = self.changes = 0

    @property
    def value(self) -> int:
        return self._value

    @value.setter
    def value(self, value: int) -> None:
        self._value = value
        self.changes += 1


class BrokenStatic:
    total = 0

    @staticmethod
    def add(amount: int) -> int:
        BrokenStatic.total += amount
        return BrokenStatic.total


class BrokenNumbers:
    """An iterator that several threads use."""

    def __init__(self) -> None:
        self._next = 0

    def __iter__(self) -> "BrokenNumbers":
        return self

    def __next__(self) -> int:
        found = self._next
        self._next = found + 1
        return found


class BrokenSwitch:
    """Right as long as nobody turns the switch."""

    def __init__(self) -> None:
        self.total = 0
        self._lock = threading.Lock()

    def add(self, amount: int, safe: bool = True) -> None:
        if safe:
            with self._lock:
                self.total += amount
        else:
            self.total += amount


class BrokenHistory:
    """What is wrong shows in the next call only."""

    def __init__(self) -> None:
        self.value = 0
        self._before: list[int] = []

    def set(self, value: int) -> None:
        self._before.append(self.value)
        self.value = value

    def undo(self) -> None:
        if self._before:
            self.value = self._before.pop()


class BrokenTwoWays:
    """Two ways to give back."""

    def __init__(self, size: int) -> None:
        self._free = list(range(size))

    def take(self) -> int | None:
        return self._free.pop() if self._free else None

    def give_back(self, item: int | None) -> None:
        if item is not None:
            self._free = [*self._free, item]
