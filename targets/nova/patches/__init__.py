"""Findings as patches for Nova: regression tests with Nova's own fixtures, and fixes that were tried."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
TEST, FIX = "test", "fix"


def patches_of(name: str) -> dict[str, Path]:
    """The patches of a finding by what they are, ``TEST`` first; none for one without."""
    files = {TEST: HERE / f"{name}.patch", FIX: HERE / f"{name}.fix.patch"}
    return {what: file for what, file in files.items() if file.is_file()}


def reproduced() -> list[str]:
    """The names of all findings with a test."""
    return sorted(file.name.removesuffix(".patch") for file in HERE.glob("*.patch") if ".fix." not in file.name)
