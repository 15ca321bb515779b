"""SCTBench's `stack`: a flag says that something was pushed once, not that something is there now.

The popping thread fails when it pops once more than was pushed, although every access is under the lock.
"""

import threading

SIZE = 10


class Stack:
    """A stack of limited size and the flag that is never cleared."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.cells = [0] * SIZE
        self.top = 0
        self.was_pushed = False


def push_all(stack: Stack) -> None:
    """Push until the stack is full."""
    for value in range(SIZE):
        with stack.lock:
            assert stack.top != SIZE
            stack.cells[stack.top] = value
            stack.top += 1
            stack.was_pushed = True


def pop_all(stack: Stack) -> None:
    """Pop as often, whenever the flag allows it."""
    for _ in range(SIZE):
        with stack.lock:
            if stack.was_pushed:
                assert stack.top != 0
                stack.top -= 1


def run() -> None:
    """Push and pop at the same time."""
    stack = Stack()
    threads = [threading.Thread(target=step, args=(stack,)) for step in (push_all, pop_all)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
