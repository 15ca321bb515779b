"""Coverage as data, and estimates of what a search has not met."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

Point = tuple[int, float, int, int]
"""Executions, seconds, distinct failures, distinct orders of two places."""


@dataclass(slots=True)
class Coverage:
    """What was covered, as data. ``looked``: executions looked at closely, over which ``orders``,
    ``reads`` and ``overlaps`` are counted; the keys of these are two places or operations with a
    line feed between, the earlier first, the alphabetical first for ``overlaps``. ``failing``: of
    the executions that overlapped so, those that failed. ``failures``: executions by what they
    showed. ``both``: pairs of places seen in both orders."""

    executions: int = 0
    looked: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)
    overlaps: dict[str, int] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    curve: list[Point] = field(default_factory=list)

    @property
    def both(self) -> int:
        """How many pairs of places were seen in both orders."""
        return sum(1 for one in self.orders if "\n".join(reversed(one.split("\n"))) in self.orders) // 2

    @property
    def pairs(self) -> int:
        """How many pairs of places were seen in any order."""
        return len({tuple(sorted(one.split("\n"))) for one in self.orders})


def unseen_chance(counts: dict[str, int], executions: int) -> float:
    """Turing's estimate: how likely the next execution shows something new. 1 before the first."""
    return sum(count == 1 for count in counts.values()) / executions if executions else 1.0


def unseen_kinds(counts: dict[str, int]) -> float:
    """Chao's lower bound for how many kinds were not met, in its form for small counts."""
    once = sum(count == 1 for count in counts.values())
    twice = sum(count == 2 for count in counts.values())
    return once * (once - 1) / (2 * (twice + 1))


def joined_coverage(parts: list[Coverage]) -> Coverage:
    """Of several searches. The points of their curves are added by turn: executions and
    seconds are right, distinct finds of an earlier point are those of the search that had most."""
    whole = Coverage()
    for name in ("failures", "orders", "reads", "overlaps", "failing"):
        total: Counter[str] = Counter()
        for one in parts:
            total.update(getattr(one, name))
        setattr(whole, name, dict(total))
    whole.executions = sum(one.executions for one in parts)
    whole.looked = sum(one.looked for one in parts)
    for number in range(max((len(one.curve) for one in parts), default=0)):
        points = [one.curve[min(number, len(one.curve) - 1)] for one in parts if one.curve]
        executions = sum(point[0] for point in points)
        seconds = max(point[1] for point in points)
        whole.curve.append((executions, seconds, max(point[2] for point in points), max(point[3] for point in points)))
    if whole.curve:
        whole.curve[-1] = (whole.executions, whole.curve[-1][1], len(whole.failures), len(whole.orders))
    return whole
