"""A counter for stepped executions."""

from __future__ import annotations

import threading


class Counter:
    """Loses updates in ``add``, not in ``add_locked``."""

    def __init__(self) -> None:
        self.value = 0
        self.lock = threading.Lock()

    def add(self) -> None:
        value = self.value
        self.value = value + 1

    def add_locked(self) -> None:
        with self.lock:
            value = self.value
            self.value = value + 1
