"""The traces in a folder of results, or in a corpus."""

from __future__ import annotations

from pathlib import Path

from semafuzz.harness.errors import UsageError


def traces_in(folder: Path) -> list[Path]:
    """Their files, by name. UsageError where there is no folder."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; give the one that --out named")
    if (folder / "findings").is_dir():
        return sorted((folder / "findings").glob("*.trace.json"))
    return sorted(folder.glob("*.json"))
