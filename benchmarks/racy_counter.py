"""The measured program: two tasks increment a counter, each by a read and a write.

Imports no tool, so that the same code runs under all of them.
"""

from __future__ import annotations


class Counter:
    """A counter whose increment another task can get into."""

    def __init__(self) -> None:
        self.value = 0

    def increment(self) -> None:
        """Read, then write: an update between the two is lost."""
        seen = self.value
        self.value = seen + 1


def nothing_lost(counter: Counter) -> None:
    """Raise AssertionError where an update was lost."""
    assert counter.value == 2, f"{counter.value} of 2 increments"
