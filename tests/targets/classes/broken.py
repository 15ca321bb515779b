"""Fifteen small classes that several threads must not use: each is to be found by its name alone."""

import contextlib
import heapq
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator


class Counter:
    """An update is lost."""

    def __init__(self) -> None:
        self._value = 0

    def add(self, amount: int) -> int:
        self._value += amount
        return self._value

    def value(self) -> int:
        return self._value


class LRUCache:
    """It reads without the lock, and the key is evicted in between."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, int] = OrderedDict()

    def get(self, key: str) -> int | None:
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: str, value: int) -> None:
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = value
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)


class BoundedBuffer:
    """``if`` in the place of ``while``: two takers are woken for one item."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[object] = deque()
        self._capacity = capacity
        self._changed = threading.Condition()

    def put(self, item: object) -> None:
        with self._changed:
            if len(self._items) == self._capacity:
                self._changed.wait()
            self._items.append(item)
            self._changed.notify_all()

    def take(self) -> object:
        with self._changed:
            if not self._items:
                self._changed.wait()
            item = self._items.popleft()
            self._changed.notify_all()
            return item


class ObjectPool:
    """Two users are given one object."""

    def __init__(self, size: int, factory: Callable[[], object]) -> None:
        self._free = [factory() for _ in range(size)]

    def acquire(self) -> object | None:
        if not self._free:
            return None
        item = self._free[-1]
        del self._free[-1]
        return item

    def release(self, item: object) -> None:
        if item is not None:
            self._free.append(item)


class Once:
    """It is made twice."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: object = None

    def get(self) -> object:
        if self._made is None:
            self._made = self._make()
        return self._made


class ReadWriteLock:
    """A writer waits for the readers that it sees first only, and its end is told to nobody."""

    def __init__(self) -> None:
        self._readers = 0
        self._lock = threading.Lock()
        self._no_readers = threading.Condition(self._lock)
        self._writing = threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        with self._lock:
            self._readers += 1
        with self._writing:
            pass
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                if not self._readers:
                    self._no_readers.notify()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        with self._writing:
            with self._lock:
                while self._readers:
                    self._no_readers.wait()
            yield


class RateLimiter:
    """Two take the last one."""

    def __init__(self, limit: int) -> None:
        self._left = self._limit = limit

    def allow(self) -> bool:
        if self._left <= 0:
            return False
        self._left -= 1
        return True

    def refill(self) -> None:
        self._left = self._limit


class Registry:
    """It is iterated while it changes."""

    def __init__(self) -> None:
        self._entries: dict[str, object] = {}
        self._lock = threading.Lock()

    def register(self, name: str, value: object) -> None:
        with self._lock:
            self._entries[name] = value

    def unregister(self, name: str) -> None:
        with self._lock:
            self._entries.pop(name, None)

    def names(self) -> list[str]:
        return [f"{name}" for name in self._entries]


class Account:
    """The check is outside the lock."""

    def __init__(self) -> None:
        self.balance = 2
        self._lock = threading.Lock()

    def deposit(self, amount: int) -> None:
        with self._lock:
            self.balance += amount

    def withdraw(self, amount: int) -> bool:
        if self.balance < amount:
            return False
        with self._lock:
            self.balance -= amount
        return True


class PriorityQueue:
    """Another takes the last one between the look and the taking."""

    def __init__(self) -> None:
        self._heap: list[int] = []
        self._lock = threading.Lock()

    def push(self, priority: int) -> None:
        with self._lock:
            heapq.heappush(self._heap, priority)

    def pop(self) -> int | None:
        if len(self) == 0:
            return None
        with self._lock:
            return heapq.heappop(self._heap)

    def __len__(self) -> int:
        return len(self._heap)


class EventBus:
    """A listener that comes at the same time is forgotten."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[str], object], ...] = ()

    def subscribe(self, listener: Callable[[str], object]) -> None:
        self._listeners = (*self._listeners, listener)

    def publish(self, event: str) -> int:
        for listener in self._listeners:
            listener(event)
        return len(self._listeners)


class LazyMap:
    """Checked before the lock only, so that the second one makes it again."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._lock = threading.Lock()

    def get(self, key: str, factory: Callable[[], object]) -> object:
        if key not in self._values:
            with self._lock:
                self._values[key] = factory()
        return self._values[key]


class SizedSet:
    """Its size is kept outside the lock."""

    def __init__(self) -> None:
        self._members: set[int] = set()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, item: int) -> None:
        with self._lock:
            if item in self._members:
                return
            self._members.add(item)
        self._size += 1

    def __len__(self) -> int:
        return self._size


class RingBuffer:
    """Two writers fill one slot."""

    def __init__(self, capacity: int) -> None:
        self._slots: list[object] = [None] * capacity
        self._next = 0

    def write(self, item: object) -> None:
        place = self._next
        self._slots[place % len(self._slots)] = item
        self._next = place + 1

    def content(self) -> list[object]:
        return list(self._slots)


class Future:
    """It is done before it has a result."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._result: object = None

    def set_result(self, value: int) -> None:
        self._done.set()
        self._result = value

    def done(self) -> bool:
        return self._done.is_set()

    def result(self) -> object:
        self._done.wait()
        return self._result
