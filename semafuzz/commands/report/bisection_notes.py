"""Notes of `bisect` on a trace, kept beside it for the report."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from semafuzz.harness.files.atomic_write import atomic_write

MAX_BYTES = 1 << 20


def answers_beside(trace: Path) -> dict[str, str]:
    """By release, what was answered; nothing where there is no such file, or none of ours."""
    path = trace.with_suffix(".bisect")
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return {}
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def keep_answers(trace: Path, answers: dict[str, str]) -> None:
    """Add answers to those that are kept. They are on the screen as well: where they cannot be
    written nothing is lost."""
    told = {**answers_beside(trace), **answers}
    with contextlib.suppress(OSError):
        atomic_write(trace.with_suffix(".bisect"), msgspec.json.encode(told))
