"""SCTBench's `fsbench`: the file system of Flanagan and Godefroid (POPL 2005) with one task more than it has locks.

The last task's inode number is out of bounds in every schedule.
"""

import threading

TASKS = 27
INODES = 32
BLOCKS = 26
LOCKS = 26
TRIES = 13


class Inode:
    """The block that an inode has, counted from one, and its lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.block = 0


class Block:
    """Whether a block is taken, and its lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_busy = False


def allocate(inodes: list[Inode], blocks: list[Block], task: int) -> None:
    """Find a free block for the task's inode."""
    number = task % INODES
    assert number < LOCKS
    inode = inodes[number]
    with inode.lock:
        if inode.block != 0:
            return
        start = 2 * number % BLOCKS
        for index in (at % BLOCKS for at in range(start, start + TRIES)):
            block = blocks[index]
            with block.lock:
                if not block.is_busy:
                    block.is_busy = True
                    inode.block = index + 1
                    return


def run() -> None:
    """Let all tasks look for a block."""
    inodes = [Inode() for _ in range(LOCKS)]
    blocks = [Block() for _ in range(BLOCKS)]
    threads = [threading.Thread(target=allocate, args=(inodes, blocks, task)) for task in range(TASKS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
