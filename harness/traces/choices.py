"""Choices of a scheduler as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecordedChoice:
    """A choice as data: by whom, out of whom, and what each was about to do."""

    step: int
    chosen: int
    enabled: tuple[int, ...]
    pending: tuple[str, ...]
    yielded: bool = False
