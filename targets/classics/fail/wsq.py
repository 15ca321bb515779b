"""The work-stealing queues of CHESS in SCTBench, on the "THE" protocol of Cilk: the owner may fill the whole array.

A thief claims a slot before it reads it; with the test for room off by one the owner overwrites that slot meanwhile.
"""

import threading

ITEMS = 4
ATTEMPTS = 2


class Item:
    """A piece of work and how often somebody got it."""

    def __init__(self) -> None:
        self.taken = 0


class Deque:
    """The owner's end is the tail, the thieves' end is the head; both only ever grow between two resets."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.mask = 1
        self.slots: list[Item | None] = [None, None]
        self.head = 0
        self.tail = 0

    def push(self, item: Item) -> None:
        """Add an item at the tail, without the lock if there is room."""
        tail = self.tail
        if tail < self.head + self.mask + 1:
            self.slots[tail & self.mask] = item
            self.tail = tail + 1
            return
        with self.lock:
            self.make_room()
            tail = self.tail
            self.slots[tail & self.mask] = item
            self.tail = tail + 1

    def make_room(self) -> None:
        """Bring the indices back into the array, and double it if it is full; the caller holds the lock."""
        count = self.tail - self.head
        head = self.head & self.mask
        self.head = head
        self.tail = head + count
        if count >= self.mask:
            size = 2 * (self.mask + 1)
            slots: list[Item | None] = [None] * size
            for index in range(count):
                slots[index] = self.slots[(head + index) & self.mask]
            self.slots = slots
            self.mask = size - 1
            self.head = 0
            self.tail = count

    def pop(self) -> Item | None:
        """Take the item at the tail; a conflict with a thief is settled under the lock."""
        tail = self.tail - 1
        self.tail = tail
        if self.head <= tail:
            return self.slots[tail & self.mask]
        self.tail = tail + 1
        with self.lock:
            tail = self.tail - 1
            self.tail = tail
            if self.head <= tail:
                return self.slots[tail & self.mask]
            self.head = 0
            self.tail = 0
            return None

    def steal(self) -> Item | None:
        """Take the item at the head."""
        with self.lock:
            head = self.head
            self.head = head + 1
            if head < self.tail:
                return self.slots[head & self.mask]
            self.head = head
            return None


def use(item: Item | None) -> None:
    """Note that somebody got the item."""
    if item is not None:
        item.taken += 1


def steal_some(deque: Deque) -> None:
    """Try a few times to steal."""
    for _ in range(ATTEMPTS):
        use(deque.steal())


def start_thieves(deque: Deque, count: int) -> list[threading.Thread]:
    """Start that many thieves."""
    thieves = [threading.Thread(target=steal_some, args=(deque,)) for _ in range(count)]
    for thief in thieves:
        thief.start()
    return thieves


def check(items: list[Item], thieves: list[threading.Thread]) -> None:
    """Expect that every item was taken once when the thieves are gone."""
    for thief in thieves:
        thief.join()
    for item in items:
        assert item.taken == 1


def run() -> None:
    """WorkStealQueue: one thief; the owner pushes two and pops one, twice, and pops the rest."""
    deque = Deque()
    items = [Item() for _ in range(ITEMS)]
    thieves = start_thieves(deque, 1)
    for index in range(0, ITEMS, 2):
        deque.push(items[index])
        deque.push(items[index + 1])
        use(deque.pop())
    for _ in range(2):
        use(deque.pop())
    check(items, thieves)


def run_swsq() -> None:
    """StateWorkStealQueue: two thieves; the owner pushes everything, then pops as often."""
    deque = Deque()
    items = [Item() for _ in range(ITEMS)]
    thieves = start_thieves(deque, 2)
    for item in items:
        deque.push(item)
    for _ in items:
        use(deque.pop())
    check(items, thieves)
