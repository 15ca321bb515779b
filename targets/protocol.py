"""What a target is: operations on a world, and oracles that judge it."""

from __future__ import annotations

from typing import Protocol


class Target(Protocol):
    """placeholder"""

    summary: str

    def releases(self) -> list[tuple[str, str]]:
        """releases"""
