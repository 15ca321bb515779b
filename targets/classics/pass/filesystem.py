"""The file system family of Flanagan and Godefroid (POPL 2005): threads look for a free block for one inode each.

Every inode and block has its own lock; from the fourteenth thread on two of them start their search at the same block.
"""

import threading

INODES = 32
BLOCKS = 26


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
    inode = inodes[number]
    with inode.lock:
        if inode.block != 0:
            return
        index = 2 * number % BLOCKS
        while not take(blocks[index], inode, index):
            index = (index + 1) % BLOCKS


def take(block: Block, inode: Inode, index: int) -> bool:
    """Give the block to the inode if it is free."""
    with block.lock:
        if block.is_busy:
            return False
        block.is_busy = True
        inode.block = index + 1
        return True


def mount(tasks: int) -> None:
    """Start that many tasks on an empty disk and expect that no block has two owners."""
    inodes = [Inode() for _ in range(INODES)]
    blocks = [Block() for _ in range(BLOCKS)]
    threads = [threading.Thread(target=allocate, args=(inodes, blocks, task)) for task in range(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({inode.block for inode in inodes[:tasks]}) == tasks


def run_14() -> None:
    """Fourteen tasks: 2 traces."""
    mount(14)


def run_16() -> None:
    """Sixteen tasks: 8 traces."""
    mount(16)


def run_18() -> None:
    """Eighteen tasks: 32 traces."""
    mount(18)


def run_19() -> None:
    """Nineteen tasks: 64 traces."""
    mount(19)
