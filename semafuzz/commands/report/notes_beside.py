"""Notes on a trace, kept beside it for the report: what `bisect` said of releases, and what came of remedies."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from semafuzz.harness.files.atomic_write import atomic_write

MAX_BYTES = 1 << 20

Kind = Literal["bisect", "remedies"]
"""By release what was answered; by remedy what came of it."""


def notes_beside(trace: Path, kind: Kind) -> dict[str, str]:
    """The notes of a kind; nothing where there is no such file, or none of ours."""
    path = trace.with_suffix(f".{kind}")
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return {}
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def keep_notes(trace: Path, kind: Kind, notes: dict[str, str]) -> bool:
    """Add notes to those that are kept, each in the place of an earlier one by the same name; whether that could be
    written. They are on the screen as well."""
    told = {**notes_beside(trace, kind), **notes}
    try:
        atomic_write(trace.with_suffix(f".{kind}"), msgspec.json.encode(told))
    except OSError:
        return False
    return True
