"""Fifteen small classes that several threads may use: none of them may be accused."""

import contextlib
import heapq
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator


class Counter:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = 0

    def add(self, amount: int) -> int:
        with self._lock:
            self._value += amount
            return self._value

    def value(self) -> int:
        with self._lock:
            return self._value


class LRUCache:
    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.RLock()
        self._entries: OrderedDict[str, int] = OrderedDict()

    def get(self, key: str) -> int | None:
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def put(self, key: str, value: int) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            while len(self) > self._capacity:
                self._entries.popitem(last=False)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)


class BoundedBuffer:
    def __init__(self, capacity: int) -> None:
        self._items: deque[object] = deque()
        self._capacity = capacity
        self._changed = threading.Condition()

    def put(self, item: object) -> None:
        with self._changed:
            while len(self._items) == self._capacity:
                self._changed.wait()
            self._items.append(item)
            self._changed.notify_all()

    def take(self) -> object:
        with self._changed:
            while not self._items:
                self._changed.wait()
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def size(self) -> int:
        with self._changed:
            return len(self._items)


class ObjectPool:
    def __init__(self, size: int, factory: Callable[[], object]) -> None:
        self._free = [factory() for _ in range(size)]
        self._lock = threading.Lock()

    def acquire(self) -> object | None:
        with self._lock:
            return self._free.pop() if self._free else None

    def release(self, item: object) -> None:
        with self._lock:
            if item is not None:
                self._free.append(item)


class Once:
    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[object] = []

    def get(self) -> object:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def reset(self) -> None:
        with self._lock:
            self._made.clear()


class ReadWriteLock:
    def __init__(self) -> None:
        self._readers = 0
        self._writing = False
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        with self._changed:
            while self._writing:
                self._changed.wait()
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        with self._changed:
            while self._writing or self._readers:
                self._changed.wait()
            self._writing = True
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()


class RateLimiter:
    def __init__(self, limit: int) -> None:
        self._left = limit
        self._limit = limit
        self._lock = threading.Lock()

    def allow(self) -> bool:
        with self._lock:
            if not self._left:
                return False
            self._left -= 1
            return True

    def refill(self) -> None:
        with self._lock:
            self._left = self._limit


class Registry:
    def __init__(self) -> None:
        self._entries: dict[str, object] = {}
        self._lock = threading.Lock()

    def register(self, name: str, value: object) -> None:
        with self._lock:
            if name in self._entries:
                raise ValueError(f"{name} is there")
            self._entries[name] = value

    def unregister(self, name: str) -> None:
        with self._lock:
            self._entries.pop(name, None)

    def names(self) -> list[str]:
        with self._lock:
            return sorted(self._entries)


class Account:
    def __init__(self) -> None:
        self.balance = 2
        self._lock = threading.Lock()

    def deposit(self, amount: int) -> None:
        with self._lock:
            self.balance += amount

    def withdraw(self, amount: int) -> bool:
        with self._lock:
            if self.balance < amount:
                return False
            self.balance -= amount
            return True


class PriorityQueue:
    def __init__(self) -> None:
        self._heap: list[int] = []
        self._lock = threading.Lock()

    def push(self, priority: int) -> None:
        with self._lock:
            heapq.heappush(self._heap, priority)

    def pop(self) -> int:
        with self._lock:
            if not self._heap:
                raise IndexError("nothing is queued")
            return heapq.heappop(self._heap)

    def __len__(self) -> int:
        return len(self._heap)


class EventBus:
    def __init__(self) -> None:
        self._listeners: list[Callable[[str], object]] = []
        self._lock = threading.Lock()

    def subscribe(self, listener: Callable[[str], object]) -> None:
        with self._lock:
            self._listeners = [*self._listeners, listener]

    def publish(self, event: str) -> int:
        listeners = self._listeners
        for listener in listeners:
            listener(event)
        return len(listeners)


class LazyMap:
    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._lock = threading.Lock()

    def get(self, key: str, factory: Callable[[], object]) -> object:
        found = self._values.get(key)
        if found is None:
            with self._lock:
                found = self._values.get(key)
                if found is None:
                    found = self._values[key] = factory()
        return found

    def __contains__(self, key: str) -> bool:
        return key in self._values


class SizedSet:
    def __init__(self) -> None:
        self._members: set[int] = set()
        self._size = 0
        self._lock = threading.Lock()

    def add(self, item: int) -> bool:
        with self._lock:
            if item in self._members:
                return False
            self._members.add(item)
            self._size += 1
            return True

    def discard(self, item: int) -> bool:
        with self._lock:
            if item not in self._members:
                return False
            self._members.remove(item)
            self._size -= 1
            return True

    def __len__(self) -> int:
        return self._size


class RingBuffer:
    def __init__(self, capacity: int) -> None:
        self._slots: list[object] = [None] * capacity
        self._start = self._count = 0
        self._lock = threading.Lock()

    def write(self, item: object) -> None:
        with self._lock:
            self._slots[(self._start + self._count) % len(self._slots)] = item
            if self._count < len(self._slots):
                self._count += 1
            else:
                self._start = (self._start + 1) % len(self._slots)

    def read(self) -> object:
        with self._lock:
            if not self._count:
                return None
            item = self._slots[self._start]
            self._start = (self._start + 1) % len(self._slots)
            self._count -= 1
            return item


class Future:
    def __init__(self) -> None:
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._result: object = None

    def set_result(self, value: int) -> None:
        with self._lock:
            if self._done.is_set():
                raise RuntimeError("it has a result")
            self._result = value
            self._done.set()

    def done(self) -> bool:
        return self._done.is_set()

    def result(self) -> object:
        self._done.wait()
        return self._result
