"""SCTBench's `stack` corrected: the popping thread looks at the height itself, under the lock, not at a flag."""

import threading

SIZE = 10


class Stack:
    """A stack of limited size."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.cells = [0] * SIZE
        self.top = 0


def push_all(stack: Stack) -> None:
    """Push as often as the stack has cells."""
    for value in range(SIZE):
        with stack.lock:
            assert stack.top != SIZE
            stack.cells[stack.top] = value
            stack.top += 1


def pop_all(stack: Stack) -> None:
    """Pop as often, whenever something is there."""
    for _ in range(SIZE):
        with stack.lock:
            if stack.top > 0:
                stack.top -= 1


def run() -> None:
    """Push and pop at the same time."""
    stack = Stack()
    threads = [threading.Thread(target=step, args=(stack,)) for step in (push_all, pop_all)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stack.top >= 0
