"""The state of a lock double that the execution works on."""

from __future__ import annotations

from semafuzz.harness.kernel.task import Task


class Lockable:
    """Base of the lock doubles. ``owner``: who holds it; ``waiters``: who waits for it or
    has announced to take it; ``label``: where it is kept, or empty; ``made``: the task that made it in
    the execution that is under way and the how many-th of that task it is, or None. ``notified``: it is the
    private lock on which a waiter of a condition waits for its notification."""

    __slots__ = ("__weakref__", "label", "made", "owner", "waiters")

    label: str
    made: tuple[int, int] | None
    owner: Task | None
    waiters: list[Task]
    notified = False

    def __hash__(self) -> int:
        """By who made it, in place of its address: sets of locks are gone through in the same order in each run."""
        return object.__hash__(self) if self.made is None else hash(self.made)


def lock_of(subject: object) -> Lockable | None:
    """``subject`` where it is a lock double. Asks for its type and not ``isinstance``, which
    believes ``__class__`` and so would run code of the program."""
    return subject if issubclass(type(subject), Lockable) else None  # type: ignore[return-value]
