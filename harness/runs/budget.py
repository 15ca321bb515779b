"""Budget of a search: where ``--seconds`` is enforced.

Real time, by ``time.perf_counter``, which control leaves alone.
"""

from __future__ import annotations

import math
from time import perf_counter


class Deadline:
    """A moment after which nothing new is begun. What is under way is not interrupted."""

    __slots__ = ("at",)

    def __init__(self, seconds: float | None = None) -> None:
        """``seconds`` from now; None: never."""
        self.at = math.inf if seconds is None else perf_counter() + seconds

    @property
    def left(self) -> float:
        """Seconds until then; not below 0."""
        return max(0.0, self.at - perf_counter())

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return perf_counter() >= self.at

    def before(self, share: float) -> Deadline:
        """One that leaves this share of what is left now to others."""
        made = Deadline()
        made.at = self.at if math.isinf(self.at) else self.at - share * self.left
        return made
