"""SCTBench's `safestack`: a stack without locks in which two threads may come to own the same cell.

Popping puts the head's successor in only if the head is still the same, but the cell may have left and come back in
between (ABA). The failure needs five preemptions.
"""

import threading
import time

CELLS = 3
ROUNDS = 2
NOTHING = -1


class Cell:
    """A number with atomic operations."""

    def __init__(self, number: int) -> None:
        self.lock = threading.Lock()
        self.number = number

    def exchange(self, new: int) -> int:
        """Write a number and give the one that was there."""
        with self.lock:
            old = self.number
            self.number = new
            return old

    def compare_and_swap(self, expected: int, new: int) -> bool:
        """Write a number if the expected one is there."""
        with self.lock:
            if self.number != expected:
                return False
            self.number = new
            return True

    def add(self, amount: int) -> None:
        """Add an amount."""
        with self.lock:
            self.number += amount


class SafeStack:
    """The linked list of the free cells, and what their owners write into them."""

    def __init__(self) -> None:
        self.head = Cell(0)
        self.count = Cell(CELLS)
        self.successors = [Cell(1), Cell(2), Cell(NOTHING)]
        self.owners = [NOTHING] * CELLS

    def pop(self) -> int:
        """Take a cell out, or nothing if only one is left."""
        while self.count.number > 1:
            head = self.head.number
            successor = self.successors[head].exchange(NOTHING)
            if successor >= 0:
                if self.head.compare_and_swap(head, successor):
                    self.count.add(-1)
                    return head
                self.successors[head].exchange(successor)
        return NOTHING

    def push(self, cell: int) -> None:
        """Put a cell back."""
        head = self.head.number
        self.successors[cell].exchange(head)
        while not self.head.compare_and_swap(head, cell):
            head = self.head.number
            self.successors[cell].exchange(head)
        self.count.add(1)


def work(stack: SafeStack, me: int) -> None:
    """Own a cell for a while, in each round."""
    for _ in range(ROUNDS):
        cell = stack.pop()
        while cell == NOTHING:
            time.sleep(0)
            cell = stack.pop()
        stack.owners[cell] = me
        assert stack.owners[cell] == me
        stack.push(cell)


def run() -> None:
    """Three threads share the three cells."""
    stack = SafeStack()
    threads = [threading.Thread(target=work, args=(stack, number)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
