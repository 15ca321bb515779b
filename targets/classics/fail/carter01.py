"""SCTBench's `carter01`: two groups take a shared lock while each holds the lock that guards the counts.

The second group waits for the shared lock inside the guard, and the first needs the guard to give it back: deadlock.
"""

import threading


class Room:
    """A room that one group at a time may use, and the guard of the groups' counts."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.in_use = threading.Lock()


class Group:
    """The number of members that are inside."""

    def __init__(self) -> None:
        self.inside = 0


def visit(room: Room, group: Group) -> None:
    """Go in and out; the first of a group takes the room and the last gives it back."""
    with room.guard:
        group.inside += 1
        if group.inside == 1:
            room.in_use.acquire()
    with room.guard:
        group.inside -= 1
        if group.inside == 0:
            room.in_use.release()


def idle() -> None:
    """Do nothing, as two threads of the original do."""


def run() -> None:
    """Let one member of each of two groups visit the room."""
    room = Room()
    threads = [threading.Thread(target=visit, args=(room, Group())) for _ in range(2)]
    threads += [threading.Thread(target=idle) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
