"""Charts of the index as SVG, drawn here so that they show without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDE, HIGH = 640, 220
FEWEST = 5
LEFT, RIGHT, TOP, BOTTOM = 48, 56, 14, 34


@dataclass(frozen=True, slots=True)
class Curve:
    """What the template draws: paths in the units of the picture, and ticks as
    ``(position, text)``."""

    first: str
    second: str
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    up_second: list[tuple[float, str]]
    words: str
    wide: int = WIDE
    high: int = HIGH
    left: int = LEFT
    right: int = WIDE - RIGHT
    top: int = TOP
    bottom: int = HIGH - BOTTOM


def discovery_curve(points: Sequence[tuple[int, float, int, int]]) -> Curve | None:
    """Distinct failures, and distinct orders of two places, over executions; None for fewer
    points than make a curve."""
    if len(points) < FEWEST:
        return None
    last = points[-1]
    most = (max(1, last[0]), max(1, *(point[2] for point in points)), max(1, *(point[3] for point in points)))

    def across(value: float) -> float:
        return round(LEFT + (WIDE - RIGHT - LEFT) * value / most[0], 1)

    def up(value: float, top: int) -> float:
        return round(HIGH - BOTTOM - (HIGH - BOTTOM - TOP) * value / top, 1)

    def steps(which: int) -> str:
        top = most[1] if which == 2 else most[2]
        path = f"M{across(0)} {up(0, top)}"
        for point in points:
            path += f"H{across(point[0])}V{up(point[which], top)}"
        return path

    def ticks(top: int) -> list[tuple[float, str]]:
        values = sorted({0, top // 2, top} if top > 1 else {0, top})
        return [(up(value, top), f"{value:,}") for value in values]

    return Curve(
        steps(2),
        steps(3),
        [(across(value), f"{value:,}") for value in sorted({0, most[0] // 2, most[0]})],
        ticks(most[1]),
        ticks(most[2]),
        f"After {last[0]:,} executions: {last[2]:,} distinct failures and {last[3]:,} orders of two places",
    )
