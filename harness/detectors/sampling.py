"""Which executions a detector looks at, where a look costs and later executions teach little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERY: Final = 200
"""So many executions are looked at one and all, of later ones one in ten."""


@dataclass(slots=True)
class Sample:
    """``met``: executions so far; ``looked``: those of them that were to be looked at."""

    met: int = 0
    looked: int = 0

    def takes(self) -> bool:
        """An execution more: whether to look at it."""
        self.met += 1
        if self.met > EVERY and self.met % 10:
            return False
        self.looked += 1
        return True
